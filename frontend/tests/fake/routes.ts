/** The fake gallery's routes: the same shapes as the real API's, from a catalogue in memory. */
import { createHash } from 'node:crypto';
import type {
  Asset,
  BatchEdit,
  BatchOutcome,
  Jobs,
  Problem,
  Scope,
  SearchResult,
  Stats
} from '../../src/lib/api/types.ts';
import { ConflictError, type FakeCatalogue, type Values } from './catalogue.ts';
import { drawAsset, MODEL } from './generated.ts';

export interface Asked {
  method: string;
  path: string;
  params: URLSearchParams;
  ifMatch: string | undefined;
  body: Buffer;
}

export interface Answered {
  status: number;
  type?: string;
  body: unknown;
  headers?: Record<string, string>;
}

const ok = (body: unknown, status = 200): Answered => ({ status, body });

export function problem(status: number, code: string, detail: string, more: object = {}): Answered {
  const body: Problem = { type: 'about:blank', title: code, status, code, detail, ...more };
  return { status, type: 'application/problem+json', body };
}

export class FakeRoutes {
  /** What a test makes go wrong. */
  degraded = false;
  down = false;
  /** The token to sign in with; without one the gallery is open. */
  token: string | undefined;
  scopes: Scope[] = ['admin', 'edit', 'infer', 'read', 'upload'];
  #isSignedIn = false;
  readonly #hashes = new Map<string, string>();
  readonly #catalogue: FakeCatalogue;

  constructor(catalogue: FakeCatalogue) {
    this.#catalogue = catalogue;
  }

  answer(asked: Asked): Answered {
    if (this.down) {
      const refusal = problem(503, 'store_unavailable', 'The bucket does not answer.');
      return { ...refusal, headers: { 'Retry-After': '1' } };
    }
    if (asked.path === '/api/session') return this.#session(asked);
    if (this.token !== undefined && !this.#isSignedIn) return problem(401, 'no_token', 'This needs a token.');
    const [, , resource = '', id = '', action = ''] = asked.path.split('/');
    if (resource === 'assets' && id === 'batch') return this.#batch(json(asked) as BatchEdit);
    if (resource === 'assets' && id) return this.#asset(asked, id, action);
    switch (`${asked.method} ${resource}`) {
      case 'GET assets':
        return ok(this.#catalogue.page(asked.params));
      case 'GET timeline':
        return ok(this.#catalogue.days(asked.params));
      case 'GET search':
      case 'POST search':
        return this.#search(asked);
      case 'GET jobs':
        return ok(this.#jobs());
      case 'POST jobs':
        return this.#retry(id);
      case 'GET stats':
        return ok(this.#stats());
      case 'GET models':
        return ok({ available: true, reason: null, models: MODELS });
      case 'POST upload':
        return this.#upload(asked.body);
      default:
        return problem(404, 'not_found', 'There is no such route.');
    }
  }

  #asset({ method, ifMatch, body }: Asked, id: string, action: string): Answered {
    const asset = this.#catalogue.find(id);
    if (!asset) return problem(404, 'not_found', `There is no asset ${id}.`);
    if (action === 'original' || action === 'thumbnail') {
      return { status: 200, type: 'image/svg+xml', body: drawAsset(asset, 1024) };
    }
    if (action === 'history') return ok({ items: this.#catalogue.history(id) });
    const match = ifMatch === undefined ? undefined : Number(ifMatch.replaceAll('"', ''));
    try {
      if (method === 'PATCH') return ok(this.#catalogue.change(id, 'edited', parse(body), match));
      if (method === 'DELETE') return ok(this.#catalogue.change(id, 'deleted', { status: 'deleted' }, match));
      if (action === 'restore') return ok(this.#catalogue.change(id, 'restored', { status: 'ready' }, match));
      if (action === 'revert')
        return ok(this.#revert(id, (parse(body) as { revision: number }).revision, match));
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
      return problem(412, 'stale', error.message, { current: error.current });
    }
    return ok(asset);
  }

  #revert(id: string, revision: number, match?: number): Asset | undefined {
    const old = this.#catalogue.history(id).find((item) => item.revision === revision)?.row;
    if (!old) return undefined;
    const { caption, caption_by, title, description, tags, rating, filename } = old;
    return this.#catalogue.change(
      id,
      'reverted',
      { caption, caption_by, title, description, tags, rating, filename },
      match
    );
  }

  #batch(edit: BatchEdit): Answered {
    const outcomes: BatchOutcome[] = edit.ids.map((id) => {
      const asset = this.#catalogue.find(id);
      if (!asset) return { id, status: 'not_found' };
      const removed = new Set(edit.remove_tags);
      const tags = [...new Set([...asset.tags, ...(edit.add_tags ?? [])])].filter((tag) => !removed.has(tag));
      const [event, values] = edit.delete
        ? (['deleted', { status: 'deleted' }] as const)
        : edit.restore
          ? (['restored', { status: 'ready' }] as const)
          : (['edited', { ...edit.set, tags } as Values] as const);
      return { id, status: 'changed', revision: this.#catalogue.change(id, event, values)?.revision ?? 0 };
    });
    return ok({ outcomes });
  }

  #search({ method, params }: Asked): Answered {
    const words = (params.get('q') ?? '').toLowerCase().split(/\s+/).filter(Boolean);
    const mode = params.get('mode') ?? 'hybrid';
    const byLikeness = method === 'POST' || params.has('like');
    const narrowed = new URLSearchParams(
      [...params].filter(([name]) => !['q', 'mode', 'like', 'limit'].includes(name))
    );
    const found: SearchResult[] = [];
    for (const asset of this.#catalogue.select(narrowed)) {
      const hits = words.filter((word) => asset.caption?.includes(word) || asset.tags.includes(word));
      if (!byLikeness && hits.length === 0) continue;
      const rank = found.length + 1;
      const text =
        hits.length > 0 ? { rank, score: hits.length, fields: [{ field: 'caption', words: hits }] } : null;
      const semantic = mode === 'text' || this.degraded ? null : { rank, similarity: 0.9 / Math.sqrt(rank) };
      found.push({ asset, score: hits.length + 1 / rank, matched: { text, semantic } });
    }
    const items = found.sort((a, b) => b.score - a.score).slice(0, Number(params.get('limit') ?? 50));
    const reason = this.degraded ? 'The Bento does not answer: results are from words alone.' : null;
    return ok({ items, mode, degraded: this.degraded, reason, took_ms: 4.2, embed_ms: 1, total: null });
  }

  #failed(): Asset[] {
    return this.#catalogue.select(new URLSearchParams('status=failed'));
  }

  /** The token is revoked and made anew: who is signed in is so no more. */
  end(): void {
    this.#isSignedIn = false;
  }

  /** As if a cookie were kept: the fake has one browser. */
  #session(asked: Asked): Answered {
    if (asked.method === 'POST') {
      if ((json(asked) as { token: string }).token !== this.token)
        return problem(401, 'bad_token', 'The token is unknown, revoked or over.');
      this.#isSignedIn = true;
    } else if (asked.method === 'DELETE') {
      this.#isSignedIn = false;
      return { status: 204, body: '' };
    }
    if (this.token === undefined) return ok({ access: 'open', name: null, scopes: this.scopes });
    return ok(
      this.#isSignedIn
        ? { access: 'token', name: 'ann', scopes: this.scopes }
        : { access: 'none', name: null, scopes: [] }
    );
  }

  #jobs(): Jobs {
    const failed = this.#failed();
    const depths = { ready: 2, in_flight: 1, delayed: 0, dead: 0, parked: 0, pending: 3 };
    return { ...depths, failed_total: failed.length, failed: { items: failed, next_cursor: null } };
  }

  #retry(id: string): Answered {
    const failed = this.#failed().filter((asset) => id === 'retry' || asset.id === id);
    for (const { id: one } of failed)
      this.#catalogue.change(one, 'enriched', { status: 'ready', caption: 'a dog' });
    return ok({ queued: failed.length, ids: failed.map((asset) => asset.id) }, 202);
  }

  #stats(): Stats {
    const months = new Map<string, number>();
    const tags: Record<string, number> = {};
    let [total, bytes] = [0, 0];
    for (const asset of this.#catalogue.select(new URLSearchParams())) {
      const month = (asset.received_at ?? '').slice(0, 7);
      months.set(month, (months.get(month) ?? 0) + 1);
      for (const tag of asset.tags) tags[tag] = (tags[tag] ?? 0) + 1;
      total += 1;
      bytes += asset.size_bytes ?? 0;
    }
    const failed = this.#failed().length;
    return {
      total,
      bytes,
      by_type: { image: total },
      by_mime: { 'image/jpeg': total },
      by_status: { ready: total, failed },
      by_model: { [MODEL]: total },
      by_month: [...months].map(([month, count]) => ({ month, type: 'image', count })),
      by_tag: tags,
      failures_by_code: failed > 0 ? { truncated: failed } : {},
      catalogue_version: this.#catalogue.version,
      index: {
        state: 'ready',
        version: this.#catalogue.indexed,
        rows: total,
        model: MODEL,
        dim: 512,
        approximate: false,
        behind: this.#catalogue.version - this.#catalogue.indexed,
        behind_s: 0,
        updated_at: null
      }
    };
  }

  /** One file: refused unless it is a PNG, known again by its content, captioned a moment later. */
  #upload(body: Buffer): Answered {
    const filename = /filename="([^"]*)"/.exec(body.toString('latin1'))?.[1] ?? '';
    const content = body.subarray(body.indexOf('\r\n\r\n') + 4, body.lastIndexOf('\r\n--'));
    if (!content.subarray(1, 4).equals(Buffer.from('PNG'))) {
      const refusal = problem(415, 'unsupported_type', `${filename} is not a picture this service takes.`);
      return {
        ...refusal,
        body: { ...(refusal.body as Problem), files: [{ filename, error: refusal.body }] }
      };
    }
    const sha256 = createHash('sha256').update(content).digest('hex');
    const known = this.#hashes.get(sha256);
    if (known) return ok({ files: [{ filename, id: known, status: 'ready', duplicate_of: known }] }, 202);
    const asset = this.#catalogue.add(filename, `a red ${filename.replace(/\.\w+$/, '')}`, {
      sha256,
      status: 'pending'
    });
    this.#hashes.set(sha256, asset.id);
    setTimeout(() => {
      asset.status = 'ready';
      this.#catalogue.publish(asset);
      setTimeout(() => (this.#catalogue.indexed = this.#catalogue.version), 400);
    }, 300);
    return ok({ files: [{ filename, id: asset.id, status: 'pending' }] }, 202);
  }
}

const MODELS = {
  model_set: 'fake',
  notice: 'These models are a fake: captions are made from file names.',
  caption: { model: 'fake-blip', revision: '1' },
  embedding: { model: 'fake-clip-of-file-names', revision: 'written-1-3200', dim: 128 }
};

function json({ body }: Asked): unknown {
  return JSON.parse(body.toString());
}

function parse(body: Buffer): Values {
  return JSON.parse(body.toString()) as Values;
}
