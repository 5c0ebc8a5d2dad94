/** Who is signed in: a cookie that only the server reads. */
import { api, unwrap } from './client.ts';
import type { Session } from './types.ts';

export function readSession(): Promise<Session> {
  return unwrap(api.GET('/api/session'));
}

export function signIn(token: string): Promise<Session> {
  return unwrap(api.POST('/api/session', { body: { token } }));
}

export async function signOut(): Promise<void> {
  await api.DELETE('/api/session');
}
