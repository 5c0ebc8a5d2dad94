/**
 * The stream of changes: one connection for the whole page, many listeners.
 *
 * The browser connects again by itself and says where it was (`Last-Event-ID`), so nothing is missed; where
 * the server cannot tell what was missed, listeners get `reset` and load everything again.
 */
import { API_ORIGIN } from '#lib/api/client.ts';
import type { Change } from '#lib/api/types.ts';
import { connection } from './connection.svelte.ts';

const NAMES = ['enriched', 'failed', 'edited', 'reverted', 'deleted', 'restored', 'purged'] as const;

export type ChangeName = (typeof NAMES)[number];

export interface LiveChange extends Change {
  event: ChangeName;
  /** The catalogue's version that has it. */
  version: number;
}

export interface Listener {
  changed?: (change: LiveChange) => void;
  /** Something was missed, or may have been: load again. */
  reset?: () => void;
}

const listeners = new Set<Listener>();
let source: EventSource | undefined;

/** Hear of every change until the returned function is called. */
export function listen(listener: Listener): () => void {
  listeners.add(listener);
  source ??= connect();
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      source?.close();
      source = undefined;
      connection.found();
    }
  };
}

/** The catalogue's version in an event's id: `118-0` is the first change of version 118. */
export function versionOf(eventId: string): number {
  return Number.parseInt(eventId, 10) || 0;
}

function connect(): EventSource {
  const stream = new EventSource(`${API_ORIGIN}/api/events`, { withCredentials: API_ORIGIN !== '' });
  for (const name of NAMES) {
    stream.addEventListener(name, (message: MessageEvent<string>) => {
      const change = JSON.parse(message.data) as Change;
      const live: LiveChange = { ...change, event: name, version: versionOf(message.lastEventId) };
      for (const listener of listeners) listener.changed?.(live);
    });
  }
  stream.addEventListener('reset', () => {
    for (const listener of listeners) listener.reset?.();
  });
  stream.addEventListener('open', () => {
    // Whatever could not be read meanwhile is read now.
    if (connection.found()) for (const listener of listeners) listener.reset?.();
  });
  stream.addEventListener('error', () => {
    connection.lost();
    // A refusal (not a broken line) ends the stream for good: begin again after a while.
    if (stream.readyState !== EventSource.CLOSED) return;
    setTimeout(() => {
      if (listeners.size === 0 || source !== stream) return;
      source = connect();
      for (const listener of listeners) listener.reset?.();
    }, RECONNECT_MS);
  });
  return stream;
}

const RECONNECT_MS = 5000;
