// A reverse proxy in front of an API server that records every request and can spoil any: how tests count writes and try failures on a real server.
import { createServer, type IncomingMessage, request as plainRequest, type ServerResponse } from 'node:http';
import { createSecureServer, type Http2ServerRequest, type Http2ServerResponse, type ServerHttp2Session } from 'node:http2';
import { Agent, request as secureRequest } from 'node:https';
import type { Server, Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { readKubeconfig, writeKubeconfig } from './control-plane/kubeconfig.ts';

export interface ProxiedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly httpVersion: string;
  readonly impersonateUser: string | undefined;
  readonly impersonateGroups: readonly string[];
  readonly userAgent: string | undefined;
  readonly contentType: string | undefined;
  readonly accept: string | undefined;
  readonly watch: boolean;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** Known once it has arrived. */
  body: string;
  /** Undefined until the server answered; the injected one where a fault was injected. */
  status: number | undefined;
  /** Milliseconds until the response had ended; undefined while it goes on, as watches do. */
  duration: number | undefined;
  /** Place among all requests and answers of this proxy: tells what the client could know when it asked. */
  readonly cameAt: number;
  /** Place at which the client had the whole answer; undefined when it never learned. */
  answeredAt: number | undefined;
  /** What the server answered, also when the client never learned; only where `keepsAnswer` says so. */
  answer: string | undefined;
}

/**
 * What may happen to a request instead of being forwarded:
 * - `respond`: the proxy answers; the server never sees it.
 * - `reset` 'before': the connection breaks, the server never sees it. 'after': the server did it, but the client never learns.
 * - `cutAfter`: the response breaks after so many bytes.
 * - `delay`: forwarded, so many milliseconds later. May be combined with the others.
 * - `until`: forwarded once the promise is settled.
 * - `answerUntil`: forwarded at once; the client gets the answer once the promise is settled.
 * - `lines`: what the client gets in place of each line of the answer, as watches have them; undefined breaks the connection.
 */
export interface Fault {
  readonly delay?: number;
  readonly until?: Promise<unknown>;
  readonly answerUntil?: Promise<unknown>;
  readonly lines?: (line: string) => readonly string[] | undefined;
  readonly respond?: { readonly status: number; readonly body?: unknown; readonly headers?: Readonly<Record<string, string>> };
  readonly reset?: 'before' | 'after';
  readonly cutAfter?: number;
}

export interface ApiProxyOptions {
  /** Kubeconfig of the API server behind; only its address and authority are used. Clients bring their own tokens. */
  readonly kubeconfigPath: string;
  /** With it the proxy speaks HTTP/2 and 1.1 over TLS, otherwise plain HTTP/1.1. */
  readonly tls?: { readonly key: string; readonly cert: string; readonly ca?: string };
  /** Decides about every request; undefined forwards it. Can be changed while it runs. */
  readonly onRequest?: (request: ProxiedRequest) => Fault | undefined;
  /** Whose answers are kept as text. Assumes: not those of watches. @default none */
  readonly keepsAnswer?: (request: ProxiedRequest) => boolean;
}

export interface ApiProxy {
  readonly url: string;
  /** In the order in which they came. */
  readonly requests: readonly ProxiedRequest[];
  onRequest: ((request: ProxiedRequest) => Fault | undefined) | undefined;
  /** Requests that are not reads, without dry runs. */
  writes(): ProxiedRequest[];
  /** Forgets the requests so far. */
  clear(): void;
  /** Breaks every open connection, watches too. New ones are accepted. */
  dropConnections(): void;
  /** Writes a kubeconfig like another one, but through the proxy. */
  writeKubeconfig(from: string, to: string): void;
  close(): Promise<void>;
}

type Incoming = IncomingMessage | Http2ServerRequest;
type Outgoing = ServerResponse | Http2ServerResponse;

interface Upstream {
  readonly url: string;
  readonly agent: Agent | undefined;
  readonly keepsAnswer: (request: ProxiedRequest) => boolean;
  /** The next place among requests and answers. */
  next(): number;
}

export async function startApiProxy(options: ApiProxyOptions): Promise<ApiProxy> {
  const { url: upstreamUrl, ca } = readKubeconfig(options.kubeconfigPath);
  const agent = upstreamUrl.startsWith('https:') ? new Agent({ keepAlive: true, ...(ca ? { ca } : {}) }) : undefined;
  let places = 0;
  const upstream: Upstream = { url: upstreamUrl, agent, keepsAnswer: options.keepsAnswer ?? (() => false), next: () => places++ };
  const requests: ProxiedRequest[] = [];
  const listener = (incoming: Incoming, outgoing: Outgoing): void => {
    const record = recordOf(incoming, upstream.next());
    requests.push(record);
    outgoing.on('close', () => {
      record.duration = Date.now() - record.startedAt;
    });
    handle(upstream, record, proxy.onRequest?.(record) ?? {}, incoming, outgoing).catch(() => breakOff(incoming, outgoing));
  };
  const { tls } = options;
  const server: Server = tls ? createSecureServer({ key: tls.key, cert: tls.cert, allowHTTP1: true }, listener) : createServer(listener);
  const connections = trackConnections(server);
  const port = await listen(server);
  const url = `${tls ? 'https' : 'http'}://127.0.0.1:${port}`;
  const dropConnections = (): void => connections.forEach((connection) => void connection.destroy());
  const proxy: ApiProxy = {
    url,
    requests,
    onRequest: options.onRequest,
    writes: () => requests.filter(({ method, query }) => method !== 'GET' && method !== 'HEAD' && !query.has('dryRun')),
    clear: () => void requests.splice(0),
    dropConnections,
    writeKubeconfig(from, to) {
      const { token = '' } = readKubeconfig(from);
      const authority = tls?.ca ?? tls?.cert;
      writeKubeconfig(to, { url, token, user: 'proxied', ...(authority ? { ca: authority } : {}) });
    },
    async close() {
      const closed = new Promise<void>((done) => server.close(() => done()));
      dropConnections();
      agent?.destroy();
      await closed;
    },
  };
  return proxy;
}

async function handle(upstream: Upstream, record: ProxiedRequest, fault: Fault, incoming: Incoming, outgoing: Outgoing): Promise<void> {
  const body = Buffer.concat(await incoming.toArray());
  record.body = body.toString();
  if (fault.delay !== undefined) await pause(fault.delay);
  await fault.until;
  if (fault.reset === 'before') return breakOff(incoming, outgoing);
  if (fault.respond) return respond(record, fault.respond, outgoing);
  const answer = await forward(upstream, incoming, outgoing, body);
  if (upstream.keepsAnswer(record)) keepAnswer(record, answer);
  record.status = answer.statusCode ?? 0;
  if (fault.reset === 'after') {
    for await (const _ of answer); // its end says that the server is done
    return breakOff(incoming, outgoing);
  }
  await fault.answerUntil;
  outgoing.once('finish', () => {
    record.answeredAt = upstream.next();
  });
  (outgoing as ServerResponse).writeHead(record.status, withoutConnection(answer.headers) as Record<string, string>);
  if ('flushHeaders' in outgoing) outgoing.flushHeaders();
  if (fault.lines !== undefined) return passLines(fault.lines, answer, incoming, outgoing);
  let left = fault.cutAfter ?? Number.POSITIVE_INFINITY;
  answer.on('data', (chunk: Buffer) => {
    const part = chunk.subarray(0, Math.min(left, chunk.length));
    left -= part.length;
    const flows = (outgoing as ServerResponse).write(part, () => left <= 0 && breakOff(incoming, outgoing));
    if (flows || outgoing.destroyed) return;
    answer.pause();
    outgoing.once('drain', () => answer.resume());
  });
  answer.once('end', () => left > 0 && outgoing.end());
  answer.once('error', () => breakOff(incoming, outgoing));
  answer.resume();
}

function keepAnswer(record: ProxiedRequest, answer: IncomingMessage): void {
  const parts: Buffer[] = [];
  answer.on('data', (chunk: Buffer) => void parts.push(chunk)).pause();
  answer.once('end', () => {
    record.answer = Buffer.concat(parts).toString();
  });
}

async function passLines(
  lines: NonNullable<Fault['lines']>,
  answer: IncomingMessage,
  incoming: Incoming,
  outgoing: Outgoing,
): Promise<void> {
  let rest = '';
  for await (const chunk of answer.setEncoding('utf8')) {
    const whole = (rest + String(chunk)).split('\n');
    rest = whole.pop() ?? '';
    for (const line of whole) {
      const passed = lines(line);
      if (passed === undefined) return breakOff(incoming, outgoing);
      for (const one of passed) (outgoing as ServerResponse).write(`${one}\n`);
    }
  }
  outgoing.end(rest);
}

function forward({ url, agent }: Upstream, incoming: Incoming, outgoing: Outgoing, body: Buffer): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const send = url.startsWith('https:') ? secureRequest : plainRequest;
    const headers = { ...withoutConnection(incoming.headers), ...(body.length > 0 ? { 'content-length': body.length } : {}) };
    const forwarded = send(new URL(incoming.url ?? '/', url), { method: incoming.method, headers, ...(agent ? { agent } : {}) }, resolve);
    forwarded.once('error', reject);
    outgoing.once('close', () => forwarded.destroy()); // a client that leaves ends its watch at the server too
    forwarded.end(body);
  });
}

function respond(record: ProxiedRequest, { status, body, headers }: NonNullable<Fault['respond']>, outgoing: Outgoing): void {
  record.status = status;
  const text =
    typeof body === 'string' ? body : JSON.stringify(body ?? { apiVersion: 'v1', kind: 'Status', status: 'Failure', code: status });
  (outgoing as ServerResponse).writeHead(status, { 'content-type': 'application/json', ...headers });
  outgoing.end(text);
}

/** Breaks one request, not the others that share an HTTP/2 connection with it. */
function breakOff(incoming: Incoming, outgoing: Outgoing): void {
  if ('stream' in outgoing) outgoing.stream.destroy(new Error('reset by the proxy'));
  else incoming.socket.destroy();
}

const OF_THE_CONNECTION = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
  'proxy-connection',
  'te',
  'host',
  'content-length',
]);

function withoutConnection(headers: NodeJS.Dict<string | string[]>): Record<string, string | string[]> {
  const kept = Object.entries(headers).filter(
    ([name, value]) => value !== undefined && !name.startsWith(':') && !OF_THE_CONNECTION.has(name),
  );
  return Object.fromEntries(kept) as Record<string, string | string[]>;
}

function recordOf({ method = 'GET', url = '/', headers, httpVersion }: Incoming, cameAt: number): ProxiedRequest {
  const { pathname, searchParams } = new URL(url, 'http://loopback');
  const one = (name: string): string | undefined => (headers[name] === undefined ? undefined : String(headers[name]));
  return {
    method,
    path: pathname,
    query: searchParams,
    httpVersion,
    impersonateUser: one('impersonate-user'),
    impersonateGroups: one('impersonate-group')?.split(/,\s*/) ?? [],
    userAgent: one('user-agent'),
    contentType: one('content-type'),
    accept: one('accept'),
    watch: ['1', 'true'].includes(searchParams.get('watch') ?? ''),
    startedAt: Date.now(),
    cameAt,
    answeredAt: undefined,
    answer: undefined,
    body: '',
    status: undefined,
    duration: undefined,
  };
}

function trackConnections(server: Server): Set<Socket | ServerHttp2Session> {
  const connections = new Set<Socket | ServerHttp2Session>();
  const track = (connection: Socket | ServerHttp2Session): void => {
    connections.add(connection);
    connection.once('close', () => connections.delete(connection));
    connection.on('error', () => {});
  };
  server.on('connection', track);
  server.on('secureConnection', track);
  server.on('session', track);
  server.on('sessionError', () => {});
  return connections;
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address ? address.port : 0);
    });
  });
}
