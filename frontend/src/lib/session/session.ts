/** What the one who is signed in may do; pages offer nothing else. The server decides, whatever is offered. */
import { page } from '$app/state';
import type { Scope, Session } from '#lib/api/types.ts';

/** Unknown while the server does not answer: then pages say that themselves. */
export function session(): Session | undefined {
  return page.data['session'] as Session | undefined;
}

export function may(scope: Scope): boolean {
  return session()?.scopes?.includes(scope) ?? true;
}

const SIGN_IN = '/signin';

type Place = Readonly<Pick<URL, 'origin' | 'pathname' | 'search'>>;

/** The page to sign in at, which leads back to `url`. */
export function signInPath(url: Place): string {
  return url.pathname === SIGN_IN
    ? url.pathname + url.search
    : `${SIGN_IN}?next=${encodeURIComponent(url.pathname + url.search)}`;
}

/** Where to go after signing in: a page of ours, and never another site's. */
export function nextPath(url: Place): string {
  const next = new URL(new URLSearchParams(url.search).get('next') ?? '/', url.origin);
  return next.origin === url.origin && next.pathname !== SIGN_IN ? next.pathname + next.search : '/';
}
