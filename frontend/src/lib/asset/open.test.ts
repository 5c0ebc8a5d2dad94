import { describe, expect, test } from 'vitest';
import { errorOf } from '#lib/api/problems.ts';
import type { Asset, AssetEdit, Revision } from '#lib/api/types.ts';
import { OpenAsset, type AssetServer } from './open.svelte.ts';

/** One asset, with revisions as the catalogue keeps them. */
class FakeServer implements AssetServer {
  rows: Asset[] = [{ id: 'a', revision: 1, caption: 'a dog', tags: [], status: 'ready' } as unknown as Asset];

  get current(): Asset {
    const row = this.rows.at(-1);
    if (!row) throw new Error('no row');
    return row;
  }

  write(values: Partial<Asset>): Asset {
    this.rows.push({ ...this.current, ...values, revision: this.current.revision + 1 });
    return this.current;
  }

  read = (id: string): Promise<Asset> =>
    id === 'a'
      ? Promise.resolve(this.current)
      : Promise.reject(errorOf(404, { code: 'not_found', detail: 'It is not there.' }));

  history = (): Promise<Revision[]> =>
    Promise.resolve(this.rows.map((row) => ({ revision: row.revision, row }) as Revision).reverse());

  edit = (asset: Asset, edit: AssetEdit): Promise<Asset> =>
    this.#matching(asset, () => this.write(edit as Partial<Asset>));

  revert = (asset: Asset, revision: number): Promise<Asset> =>
    this.#matching(asset, () => this.write({ caption: this.rows[revision - 1]?.caption ?? null }));

  remove = (): Promise<Asset> => Promise.resolve(this.write({ status: 'deleted' }));
  restore = (): Promise<Asset> => Promise.resolve(this.write({ status: 'ready' }));

  #matching(asset: Asset, change: () => Asset): Promise<Asset> {
    if (asset.revision === this.current.revision) return Promise.resolve(change());
    const problem = { code: 'conflict', detail: 'Somebody was faster.', current: this.current };
    return Promise.reject(errorOf(412, problem));
  }
}

async function opened(): Promise<{ server: FakeServer; open: OpenAsset; base: Asset }> {
  const server = new FakeServer();
  const open = new OpenAsset(server);
  await open.open('a');
  if (!open.asset) throw new Error('not open');
  return { server, open, base: open.asset };
}

describe('an open asset', () => {
  test('shows its edit and the longer history at once', async () => {
    const { open, base } = await opened();
    expect(await open.save({ caption: 'a cat' }, base)).toBe(true);
    await new Promise((resolve) => setTimeout(resolve));
    expect(open.asset?.caption).toBe('a cat');
    expect(open.history?.map((item) => item.revision)).toEqual([2, 1]);
  });

  test('an edit of other fields goes through although somebody was faster', async () => {
    const { server, open, base } = await opened();
    server.write({ tags: ['theirs'] });
    expect(await open.save({ caption: 'mine' }, base)).toBe(true);
    expect(server.current).toMatchObject({ caption: 'mine', tags: ['theirs'], revision: 3 });
  });

  test('an edit of the same field is a conflict, and nothing is lost until somebody decides', async () => {
    const { server, open, base } = await opened();
    server.write({ caption: 'theirs' });
    expect(await open.save({ caption: 'mine' }, base)).toBe(false);
    expect(open.conflict?.current.caption).toBe('theirs');
    expect(server.current.caption).toBe('theirs');
    await open.decide(true);
    expect(server.current).toMatchObject({ caption: 'mine', revision: 3 });
    expect(open.conflict).toBeUndefined();
  });

  test('deciding for theirs shows theirs', async () => {
    const { server, open, base } = await opened();
    server.write({ caption: 'theirs' });
    await open.save({ caption: 'mine' }, base);
    await open.decide(false);
    expect(open.asset?.caption).toBe('theirs');
    expect(server.rows).toHaveLength(2);
  });

  test('a revert goes out from the newest revision, whoever made it', async () => {
    const { server, open } = await opened();
    server.write({ caption: 'theirs' });
    await open.revert(1);
    expect(open.asset).toMatchObject({ caption: 'a dog', revision: 3 });
  });

  test('is deleted and restored', async () => {
    const { open } = await opened();
    await open.remove();
    expect(open.asset?.status).toBe('deleted');
    await open.restore();
    expect(open.asset?.status).toBe('ready');
  });

  test('one that is not there is missing, not broken', async () => {
    const { open } = await opened();
    await open.open('b');
    expect([open.isMissing, open.asset]).toEqual([true, undefined]);
  });

  test('any other failure is thrown at whoever saves', async () => {
    const { server, open, base } = await opened();
    server.edit = () => Promise.reject(errorOf(503, { code: 'down', detail: 'The bucket is down.' }));
    await expect(open.save({ caption: 'x' }, base)).rejects.toThrow('The bucket is down.');
    expect(open.saving.size).toBe(0);
  });
});
