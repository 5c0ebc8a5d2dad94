/**
 * One file on its way to the server, with progress.
 *
 * `fetch` cannot tell how much was sent, so this is an XMLHttpRequest. What is answered is ingest's own
 * answer, which the gallery passes on and its OpenAPI page does not describe: its shape stands here.
 */
import { API_ORIGIN } from '#lib/api/client.ts';
import { isProblem } from '#lib/api/problems.ts';

export interface Stored {
  id: string;
  status: 'pending' | 'ready' | 'deleted';
  duplicate_of?: string | null;
  hint?: string | null;
}

/** Why a file was not taken; `retryAfter` (seconds) where trying again may help. */
export class SendError extends Error {
  override readonly name = 'SendError';

  constructor(
    message: string,
    readonly retryAfter?: number
  ) {
    super(message);
  }
}

export type Send = (file: File, onprogress: (share: number) => void, signal: AbortSignal) => Promise<Stored>;

const DEFAULT_WAIT_S = 5;

export const sendFile: Send = (file, onprogress, signal) =>
  new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', `${API_ORIGIN}/api/upload`);
    request.withCredentials = API_ORIGIN !== '';
    request.upload.addEventListener('progress', (event) => {
      if (event.lengthComputable) onprogress(event.loaded / event.total);
    });
    request.addEventListener('load', () => {
      try {
        resolve(readAnswer(request.status, request.responseText, request.getResponseHeader('Retry-After')));
      } catch (error) {
        reject(error as SendError);
      }
    });
    request.addEventListener('error', () => {
      reject(new SendError('The connection broke off while it was sent.', DEFAULT_WAIT_S));
    });
    request.addEventListener('abort', () => {
      reject(new SendError('It was cancelled.'));
    });
    signal.addEventListener('abort', () => {
      request.abort();
    });
    const form = new FormData();
    form.append('files', file, file.name);
    request.send(form);
  });

/** What the server says of the one file that was sent. */
export function readAnswer(status: number, text: string, retryAfter: string | null): Stored {
  const body = parse(text);
  const entry = isRecord(body) && Array.isArray(body['files']) ? (body['files'] as unknown[])[0] : undefined;
  if (status === 202 && isStored(entry)) return entry;
  const refusal = isRecord(entry) && isProblem(entry['error']) ? entry['error'] : body;
  const reason = isProblem(refusal) ? refusal.detail : `The server answered with status ${String(status)}.`;
  const mayPass = [408, 429, 502, 503, 504].includes(status);
  throw new SendError(reason, mayPass ? Number(retryAfter) || DEFAULT_WAIT_S : undefined);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // a proxy's page: the status says enough
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function isStored(entry: unknown): entry is Stored {
  return isRecord(entry) && typeof entry['id'] === 'string' && typeof entry['status'] === 'string';
}
