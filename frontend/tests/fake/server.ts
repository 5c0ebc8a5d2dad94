/**
 * A gallery in memory behind a real HTTP server: the built frontend, the fake's API and its events.
 *
 * Used by the browser tests alone. What a test makes go wrong is set through `routes`.
 */
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { gzipSync } from 'node:zlib';
import { FakeCatalogue, type Published } from './catalogue.ts';
import { FakeRoutes } from './routes.ts';

const BUILD = new URL('../../build/', import.meta.url).pathname;
const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
  '.json': 'application/json'
};

export class FakeGallery {
  readonly catalogue: FakeCatalogue;
  readonly routes: FakeRoutes;
  /** Compressed bytes of JavaScript that were served. */
  scriptBytes = 0;
  readonly #server: Server;
  #port = 0;

  constructor(size: number) {
    this.catalogue = new FakeCatalogue(size);
    this.routes = new FakeRoutes(this.catalogue);
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch((error: unknown) => {
        response.writeHead(500).end(String(error));
      });
    });
  }

  get url(): string {
    return `http://127.0.0.1:${String(this.#port)}`;
  }

  /** Listen on a free port; again on the same one after a stop. */
  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(this.#port, '127.0.0.1', resolve));
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://localhost');
    if (url.pathname === '/api/events') {
      this.#stream(response);
      return;
    }
    if (!url.pathname.startsWith('/api/')) {
      await this.#file(url.pathname, response);
      return;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const answered = this.routes.answer({
      method: request.method ?? 'GET',
      path: url.pathname,
      params: url.searchParams,
      ifMatch: request.headers['if-match'],
      body: Buffer.concat(chunks)
    });
    const text = typeof answered.body === 'string' ? answered.body : JSON.stringify(answered.body);
    response.writeHead(answered.status, {
      'Content-Type': answered.type ?? 'application/json',
      ...answered.headers
    });
    response.end(text);
  }

  #stream(response: ServerResponse): void {
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' });
    response.write(': open\n\n');
    const send = ({ eventId, ...change }: Published): void => {
      response.write(`id: ${eventId}\nevent: ${change.event}\ndata: ${JSON.stringify(change)}\n\n`);
    };
    this.catalogue.listeners.add(send);
    response.on('close', () => this.catalogue.listeners.delete(send));
  }

  async #file(path: string, response: ServerResponse): Promise<void> {
    const name = extname(path) ? normalize(path) : 'index.html';
    let content: Buffer;
    try {
      content = await readFile(join(BUILD, name));
    } catch {
      response.writeHead(404).end();
      return;
    }
    const packed = gzipSync(content);
    if (extname(name) === '.js') this.scriptBytes += packed.length;
    response
      .writeHead(200, { 'Content-Type': TYPES[extname(name)] ?? '', 'Content-Encoding': 'gzip' })
      .end(packed);
  }
}
