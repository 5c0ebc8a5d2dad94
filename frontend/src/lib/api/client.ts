/**
 * The gallery's API over HTTP: one typed client, one way to fail.
 *
 * Every request of the frontend but uploads (which need progress) and events (which need a stream) goes
 * through here. It keeps nothing: what was answered belongs to the caller.
 */
import createClient from 'openapi-fetch';
import { ApiError, errorOf, unreachable } from './problems.ts';
import type { paths } from './schema.d.ts';

/** Empty where the API serves this page; else the origin given when the gallery was built for another host. */
export const API_ORIGIN: string = import.meta.env.VITE_API_ORIGIN ?? '';

const client = createClient<paths>({
  baseUrl: API_ORIGIN,
  // The cookie goes along to another origin too, where the gallery is served by another host.
  ...(API_ORIGIN ? { credentials: 'include' } : {}),
  // `tag=a&tag=b`, as the API reads lists.
  querySerializer: { array: { style: 'form', explode: true } }
});

export const api = client;

let whenSignedOut: (() => void) | undefined;

/** What happens when the server says that nobody is signed in any more: a token that was revoked, say. */
export function onSignedOut(action: () => void): void {
  whenSignedOut = action;
}

interface Answer<Data> {
  data?: Data;
  error?: unknown;
  response: Response;
}

/** The data of an answer, or the error it stands for. */
export async function unwrap<Data>(request: Promise<Answer<Data>>): Promise<Data> {
  let answer: Answer<Data>;
  try {
    answer = await request;
  } catch (error) {
    // `fetch` throws a TypeError where there is no answer; anything else (an abort, say) is not for us.
    if (error instanceof TypeError) throw unreachable();
    throw error;
  }
  const { data, error, response } = answer;
  if (response.ok && data !== undefined) return data;
  if (response.status === 401) whenSignedOut?.();
  throw response.ok
    ? new ApiError('The server answered with nothing.', response.status, 'empty')
    : errorOf(response.status, error);
}

/** A link of the API as the browser must ask for it. */
export function absolute(link: string): string {
  return link.startsWith('/') ? API_ORIGIN + link : link;
}
