import { describe, expect, test } from 'vitest';
import type { Asset } from '#lib/api/types.ts';
import type { Listener, LiveChange } from '#lib/live/changes.ts';
import { readAnswer, SendError, type Stored } from './sending.ts';
import { Uploads, type UploadServer } from './uploads.svelte.ts';

type Outcome = Stored | SendError;

/** A server that answers as it is told, and says nothing until then. */
class FakeServer implements UploadServer {
  readonly sent: string[] = [];
  readonly outcomes = new Map<string, Outcome[]>();
  readonly assets = new Map<string, Partial<Asset>>();
  readonly waits: number[] = [];
  versions = { catalogue: 7, index: 0 };
  listeners: Listener[] = [];
  inFlight = 0;
  mostInFlight = 0;
  #waiting: (() => void)[] = [];

  send: UploadServer['send'] = async (file, onprogress) => {
    this.sent.push(file.name);
    this.inFlight += 1;
    this.mostInFlight = Math.max(this.mostInFlight, this.inFlight);
    onprogress(0.5);
    await Promise.resolve();
    this.inFlight -= 1;
    const outcome = this.outcomes.get(file.name)?.shift() ?? { id: file.name, status: 'pending' };
    if (outcome instanceof SendError) throw outcome;
    return outcome;
  };

  readAsset: UploadServer['readAsset'] = (id) =>
    Promise.resolve({ status: 'pending', links: { thumbnails: {} }, ...this.assets.get(id) } as Asset);

  restore: UploadServer['restore'] = (id) => this.readAsset(id);
  readVersions: UploadServer['readVersions'] = () => Promise.resolve(this.versions);

  listen: UploadServer['listen'] = (listener) => {
    this.listeners.push(listener);
    return () => {
      this.listeners = this.listeners.filter((other) => other !== listener);
    };
  };

  rest: UploadServer['rest'] = (ms) => {
    this.waits.push(ms);
    return new Promise((resolve) => this.#waiting.push(resolve));
  };

  /** Time passes: everybody who rests wakes up. */
  async pass(): Promise<void> {
    for (const wake of this.#waiting.splice(0)) wake();
    await turn();
  }

  async tell(change: Partial<LiveChange>): Promise<void> {
    for (const listener of this.listeners) listener.changed?.(change as LiveChange);
    await turn();
  }
}

/** Everything that needs no time has happened when the event loop turns. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

const fileOf = (name: string): File => new File(['x'], name, { type: 'image/png' });

describe('the upload list', () => {
  test('follows a file from sending until it can be found', async () => {
    const server = new FakeServer();
    const uploads = new Uploads(server);
    uploads.add([fileOf('boat.png')]);
    const [item] = uploads.items;
    expect(item?.stage).toBe('sending');
    await turn();
    expect(item?.stage).toBe('stored');
    server.assets.set('boat.png', { status: 'ready', caption: 'a boat' });
    await server.tell({ id: 'boat.png', version: 9 });
    expect(item?.stage).toBe('captioned');
    expect(item?.caption).toBe('a boat');
    server.versions.index = 8;
    await server.pass();
    expect(item?.stage).toBe('captioned');
    server.versions.index = 9;
    await server.pass();
    expect(item?.stage).toBe('searchable');
    expect(uploads.active).toBe(0);
  });

  test('sends three at a time, and all of them', async () => {
    const server = new FakeServer();
    const uploads = new Uploads(server);
    uploads.add(Array.from({ length: 20 }, (_, index) => fileOf(`${String(index)}.png`)));
    for (let count = 0; count < 10; count++) await turn();
    expect(server.mostInFlight).toBe(3);
    expect(server.sent).toHaveLength(20);
  });

  test('notices a caption whose event came before the answer to the upload', async () => {
    const server = new FakeServer();
    server.assets.set('boat.png', { status: 'ready' });
    const uploads = new Uploads(server);
    uploads.add([fileOf('boat.png')]);
    await turn();
    expect(uploads.items[0]?.stage).toBe('captioned');
  });

  test('tries again when the server is busy, and says how long it waits', async () => {
    const server = new FakeServer();
    server.outcomes.set('boat.png', [new SendError('Too many uploads at once.', 4)]);
    const uploads = new Uploads(server);
    uploads.add([fileOf('boat.png')]);
    await turn();
    expect(uploads.items[0]?.status).toBe('Too many uploads at once. Trying again in 4 s.');
    expect(server.waits).toEqual([4000]);
    await server.pass();
    await turn();
    expect(uploads.items[0]?.stage).toBe('stored');
  });

  test('gives up on a file that is refused, and can be told to try again', async () => {
    const server = new FakeServer();
    server.outcomes.set('notes.txt', [new SendError('notes.txt is not a picture.')]);
    const uploads = new Uploads(server);
    uploads.add([fileOf('notes.txt')]);
    await turn();
    const [item] = uploads.items;
    expect([item?.stage, item?.status]).toEqual(['refused', 'notes.txt is not a picture.']);
    if (item) uploads.retry(item);
    await turn();
    expect(item?.stage).toBe('stored');
  });

  test('says of a duplicate that it was there, and offers to restore a deleted one', async () => {
    const server = new FakeServer();
    server.outcomes.set('a.png', [{ id: 'old', status: 'ready', duplicate_of: 'old' }]);
    server.outcomes.set('b.png', [
      { id: 'gone', status: 'deleted', duplicate_of: 'gone', hint: 'Restore it.' }
    ]);
    server.assets.set('old', { status: 'ready', caption: 'a boat' });
    const uploads = new Uploads(server);
    uploads.add([fileOf('a.png'), fileOf('b.png')]);
    await turn();
    const [first, second] = uploads.items;
    expect([first?.status, first?.caption]).toEqual(['It was there already', 'a boat']);
    expect([second?.canRestore, second?.status]).toEqual([true, 'Restore it.']);
    if (second) await uploads.restore(second);
    expect(second?.canRestore).toBe(false);
  });

  test('tells why a stored file could not be captioned', async () => {
    const server = new FakeServer();
    const uploads = new Uploads(server);
    uploads.add([fileOf('half.jpg')]);
    await turn();
    server.assets.set('half.jpg', { status: 'failed', error_message: 'The file ends too early.' });
    await server.tell({ id: 'half.jpg', version: 3 });
    expect(uploads.items[0]?.stage).toBe('failed');
    expect(uploads.items[0]?.status).toBe('The file ends too early.');
    expect(uploads.wrong).toBe(1);
  });

  test('clearing keeps what is still under way', async () => {
    const server = new FakeServer();
    server.outcomes.set('bad.txt', [new SendError('No.')]);
    const uploads = new Uploads(server);
    uploads.add([fileOf('bad.txt'), fileOf('boat.png')]);
    await turn();
    uploads.clear();
    expect(uploads.items.map((item) => item.name)).toEqual(['boat.png']);
  });
});

describe('the answer to one file', () => {
  const problem = {
    type: 'about:blank',
    title: 'x',
    status: 415,
    code: 'unsupported_type',
    detail: 'No picture.'
  };

  test('is the stored file', () => {
    const entry = { id: 'a', status: 'pending' };
    expect(readAnswer(202, JSON.stringify({ files: [entry] }), null)).toEqual(entry);
  });

  test('is its own refusal before the request’s', () => {
    const body = { ...problem, detail: 'None was taken.', files: [{ filename: 'a', error: problem }] };
    expect(() => readAnswer(415, JSON.stringify(body), null)).toThrow('No picture.');
  });

  test('may be worth another try', () => {
    try {
      readAnswer(503, '<html>', '12');
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(SendError);
      expect((error as SendError).retryAfter).toBe(12);
    }
  });
});
