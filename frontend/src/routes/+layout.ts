import { redirect } from '@sveltejs/kit';
import { readSession } from '#lib/api/session.ts';
import type { Session } from '#lib/api/types.ts';
import { signInPath } from '#lib/session/session.ts';
import type { LayoutLoad } from './$types';

export const ssr = false;

/** Who is signed in, before any page asks for what it may not see. */
export const load: LayoutLoad = async ({ url, untrack }) => {
  let session: Session | undefined;
  try {
    session = await readSession();
  } catch {
    return {}; // pages say themselves that the server does not answer
  }
  const target = untrack(() => signInPath(url));
  if (session.access === 'none' && untrack(() => url.pathname) !== '/signin') redirect(307, target);
  return { session };
};
