// One HTTP server: finds the route, reads a bounded body, answers. What routes do is in their own files.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as a route sees it. */
export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Uint8Array;
}

/** What a route answers. */
export interface HttpAnswer {
  readonly status: number;
  /** @default 'application/json' */
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

/** One path and method. */
export interface Route {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** Bytes of body it reads; more is answered by 413. @default 0 */
  readonly bodyLimit?: number;
  handle(request: HttpRequest): Promise<HttpAnswer>;
}

/** A running server. */
export interface RunningServer {
  /** `http://127.0.0.1:8080`, with the port that was really taken. */
  readonly url: string;
  close(): Promise<void>;
}

/** Settings of a server. */
export interface ServerOptions {
  readonly address: { readonly host: string; readonly port: number };
  readonly routes: readonly Route[];
  readonly onError: (error: unknown) => void;
}

/** A request, head and body, must be here within this time. */
const requestMilliseconds = 10_000;
const headMilliseconds = 5_000;
const maximumConnections = 512;

/** Starts listening. Rejects when the address is taken. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const server = createServer({ requestTimeout: requestMilliseconds, headersTimeout: headMilliseconds, maxHeaderSize: 16_384 });
  server.maxConnections = maximumConnections;
  server.setTimeout(requestMilliseconds * 3);
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    answer(request, options.routes).then(
      (found) => send(request, response, found),
      (error: unknown) => {
        options.onError(error);
        send(request, response, problem(500, 'the request could not be answered'));
      },
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.address.port, options.address.host, resolve);
  });
  server.on('error', options.onError);
  return { url: urlOf(server), close: () => closeServer(server) };
}

/** An answer that says in one sentence what is wrong. */
export function problem(status: number, error: string): HttpAnswer {
  return { status, body: `${JSON.stringify({ error })}\n` };
}

async function answer(request: IncomingMessage, routes: readonly Route[]): Promise<HttpAnswer> {
  const url = URL.parse(request.url ?? '', 'http://localhost');
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  const candidates = routes.filter((route) => route.path === url?.pathname);
  const route = candidates.find((candidate) => candidate.method === method);
  if (url === null || candidates.length === 0) return problem(404, 'there is nothing at this path');
  if (route === undefined) {
    const allow = candidates.map((candidate) => candidate.method).join(', ');
    return { ...problem(405, `this path answers ${allow}`), headers: { allow } };
  }
  const body = await readBody(request, route.bodyLimit ?? 0);
  if (body === undefined)
    return { ...problem(413, `the body may have at most ${route.bodyLimit ?? 0} bytes`), headers: { connection: 'close' } };
  return route.handle({ method: route.method, path: url.pathname, query: url.searchParams, headers: request.headers, body });
}

/** The body, or undefined when it is over the limit; what is over is not read. */
async function readBody(request: IncomingMessage, limit: number): Promise<Uint8Array | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > limit) return undefined;
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength;
    if (size > limit) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function send(request: IncomingMessage, response: ServerResponse, { status, contentType, headers, body }: HttpAnswer): void {
  if (response.destroyed || response.headersSent) return;
  response.writeHead(status, {
    'content-type': contentType ?? 'application/json',
    'content-length': Buffer.byteLength(body),
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
    ...headers,
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

function urlOf(server: Server): string {
  const { address, family, port } = server.address() as AddressInfo;
  const host = address === '0.0.0.0' || address === '::' ? '127.0.0.1' : address;
  return `http://${family === 'IPv6' && address !== '::' ? `[${host}]` : host}:${port}`;
}

async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const deadline = setTimeout(() => server.closeAllConnections(), 1_000);
  await closed;
  clearTimeout(deadline);
}
