/**
 * Errors of the API as one exception whose message is a sentence for people.
 *
 * Thrown by `client`; shown by whoever asked. A server that does not answer is such an error too.
 */
import type { Conflict, Problem } from './types.ts';

export class ApiError extends Error {
  override readonly name = 'ApiError';

  constructor(
    message: string,
    readonly status: number,
    readonly code: string,
    readonly problem?: Problem
  ) {
    super(message);
  }
}

/** The error for an answer that is none of ours: a proxy's page, or nothing at all. */
export function unreachable(): ApiError {
  return new ApiError(
    'The gallery’s server does not answer. Is it running, and are you online?',
    0,
    'unreachable'
  );
}

/** The error that an answer with this status and body stands for. */
export function errorOf(status: number, body: unknown): ApiError {
  if (isProblem(body)) return new ApiError(body.detail, status, body.code, body);
  return new ApiError(`The server answered with status ${String(status)} and no reason.`, status, 'unknown');
}

/** The other edit, where this error says that one came first. */
export function conflictOf(error: unknown): Conflict | undefined {
  const problem = error instanceof ApiError && error.status === 412 ? error.problem : undefined;
  return problem && 'current' in problem ? (problem as Conflict) : undefined;
}

/** A sentence for whatever was thrown. */
export function explain(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Whether this was only somebody moving on before the answer came. */
export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}

export function isProblem(body: unknown): body is Problem {
  return typeof body === 'object' && body !== null && 'detail' in body && 'code' in body;
}
