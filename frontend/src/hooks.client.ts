/** What an unexpected error is called on the error page. */
import type { HandleClientError } from '@sveltejs/kit/hooks';
import { unreachable } from '#lib/api/problems.ts';

export const handleError: HandleClientError = ({ error }) => {
  // A page's code that cannot be fetched is a TypeError, like any request without an answer.
  const isUnreachable = error instanceof TypeError && /fetch|import/i.test(error.message);
  if (isUnreachable) return { message: unreachable().message };
  console.error(error);
  return {};
};
