// A Git server on loopback for development and tests: the real `git http-backend` behind node:http. Working with repositories as a user does is in manifest-repo.ts.
import { spawn } from 'node:child_process';
import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { join } from 'node:path';
import { runGit } from './run-git.ts';

export type GitAuth =
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  | { readonly kind: 'bearer'; readonly token: string };

export interface RefUpdate {
  readonly ref: string;
  /** Undefined when the ref is new. */
  readonly before: string | undefined;
  /** Undefined when the ref was deleted. */
  readonly after: string | undefined;
}

export interface Push {
  readonly repository: string;
  readonly updates: readonly RefUpdate[];
}

export interface GitWebhook {
  readonly url: string;
  /** Signs the body, as GitHub does: `X-Hub-Signature-256: sha256=…`. */
  readonly secret?: string;
}

export interface GitServerOptions {
  /** Folder that holds the bare repositories. */
  readonly root: string;
  readonly auth?: GitAuth;
  readonly tls?: { readonly key: string; readonly cert: string };
  /** @default a free one */
  readonly port?: number;
  /** Git settings of the server. By default pushes, wants of any commit and partial clones are allowed. */
  readonly config?: Readonly<Record<string, string>>;
  readonly onPush?: (push: Push) => void;
  readonly webhook?: GitWebhook;
  /** Sees every request first and answers it, spoils it, or calls `next`. */
  readonly intercept?: (request: IncomingMessage, response: ServerResponse, next: () => void) => void;
}

export interface GitRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly userAgent: string | undefined;
  readonly protocol: string | undefined;
}

export interface GitServer {
  /** Without a slash at the end. */
  readonly url: string;
  readonly root: string;
  /** Every request so far, refused ones too. */
  readonly requests: readonly GitRequest[];
  /** Status of each webhook delivery so far; 0 when nobody answered. */
  readonly deliveries: readonly number[];
  /** Creates a bare repository and returns its address. */
  createRepository(name: string, options?: { readonly branch?: string; readonly objectFormat?: 'sha1' | 'sha256' }): Promise<string>;
  repositoryUrl(name: string): string;
  repositoryPath(name: string): string;
  /** From the next request on; undefined lets everybody in. */
  requireAuth(auth: GitAuth | undefined): void;
  sendWebhooksTo(webhook: GitWebhook | undefined): void;
  close(): Promise<void>;
}

const DEFAULT_CONFIG = {
  'http.receivepack': 'true',
  'uploadpack.allowAnySHA1InWant': 'true',
  'uploadpack.allowFilter': 'true',
  'safe.directory': '*',
};

interface Running {
  readonly options: GitServerOptions;
  readonly deliveries: number[];
  auth: GitAuth | undefined;
  webhook: GitWebhook | undefined;
  /** Pushes one after the other, so that each knows which refs it moved. */
  pushes: Promise<void>;
}

export async function startGitServer(options: GitServerOptions): Promise<GitServer> {
  mkdirSync(options.root, { recursive: true });
  const running: Running = { options, deliveries: [], auth: options.auth, webhook: options.webhook, pushes: Promise.resolve() };
  const requests: GitRequest[] = [];
  const listener: RequestListener = (request, response) => {
    requests.push(describe(request));
    const next = () => void serve(running, request, response).catch((error: unknown) => response.destroy(error as Error));
    if (options.intercept) options.intercept(request, response, next);
    else next();
  };
  const server: Server = options.tls ? createTlsServer({ ...options.tls }, listener) : createServer(listener);
  const port = await listen(server, options.port ?? 0);
  const url = `${options.tls ? 'https' : 'http'}://127.0.0.1:${port}`;
  return {
    url,
    root: options.root,
    requests,
    deliveries: running.deliveries,
    async createRepository(name, { branch = 'main', objectFormat = 'sha1' } = {}) {
      const path = join(options.root, name);
      mkdirSync(path, { recursive: true });
      await runGit(['init', '-q', '--bare', `--initial-branch=${branch}`, `--object-format=${objectFormat}`], { directory: path });
      return `${url}/${name}`;
    },
    repositoryUrl: (name) => `${url}/${name}`,
    repositoryPath: (name) => join(options.root, name),
    requireAuth(auth) {
      running.auth = auth;
    },
    sendWebhooksTo(webhook) {
      running.webhook = webhook;
    },
    async close() {
      const closed = new Promise<void>((done) => server.close(() => done()));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Lets `bytes` of the response body through and then cuts the connection: to be called from `intercept`, before `next`. */
export function cutResponse(response: ServerResponse, bytes: number): void {
  let left = bytes;
  const write = response.write.bind(response);
  response.write = ((chunk: Buffer) => {
    const part = chunk.subarray(0, left);
    left -= part.length;
    write(part, () => left <= 0 && response.destroy());
    return left > 0;
  }) as typeof response.write;
}

async function serve(running: Running, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (!isAllowed(request, running.auth)) {
    const scheme = running.auth?.kind === 'bearer' ? 'Bearer' : 'Basic';
    response.writeHead(401, { 'www-authenticate': `${scheme} realm="git"` }).end();
    return;
  }
  const { pathname } = new URL(request.url ?? '/', 'http://loopback');
  if (request.method !== 'POST' || !pathname.endsWith('/git-receive-pack')) return runBackend(running.options, request, response);
  const repository = decodeURIComponent(pathname.slice(1, -'/git-receive-pack'.length));
  running.pushes = running.pushes
    .then(() => receivePush(running, repository, request, response))
    .catch((error: unknown) => void response.destroy(error as Error));
  return running.pushes;
}

async function receivePush(running: Running, repository: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = join(running.options.root, repository);
  const before = await readRefs(path);
  await runBackend(running.options, request, response);
  const after = await readRefs(path);
  const refs = [...new Set([...before.keys(), ...after.keys()])].sort();
  const updates = refs
    .map((ref) => ({ ref, before: before.get(ref), after: after.get(ref) }))
    .filter((update) => update.before !== update.after);
  if (updates.length === 0) return;
  running.options.onPush?.({ repository, updates });
  const { webhook } = running;
  if (webhook) for (const update of updates) void deliver(webhook, repository, update).then((status) => running.deliveries.push(status));
}

/** The CGI protocol: the request in the environment and on standard input, the response with its header lines on standard output. */
function runBackend(options: GitServerOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://loopback');
  const backend = spawn('git', ['http-backend'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: {
      PATH: process.env['PATH'],
      HOME: options.root,
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_CONFIG_NOSYSTEM: '1',
      ...configEnvironment({ ...DEFAULT_CONFIG, ...options.config }),
      GIT_PROJECT_ROOT: options.root,
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: decodeURIComponent(url.pathname),
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method,
      REMOTE_ADDR: '127.0.0.1',
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
    },
  });
  request.pipe(backend.stdin);
  backend.stdin.on('error', () => {}); // it answered without reading everything
  response.on('close', () => backend.kill());
  let head: Buffer | undefined = Buffer.alloc(0);
  backend.stdout.on('data', (chunk: Buffer) => {
    if (!head) return void writeGently(response, backend.stdout, chunk);
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) return;
    const rest = head.subarray(end + 4);
    startResponse(response, head.subarray(0, end).toString());
    head = undefined;
    if (rest.length > 0) writeGently(response, backend.stdout, rest);
  });
  return new Promise((resolve, reject) => {
    backend.once('error', reject).once('close', () => {
      if (head) response.writeHead(500);
      response.end(resolve);
      if (response.destroyed) resolve();
    });
  });
}

function startResponse(response: ServerResponse, head: string): void {
  let status = 200;
  for (const line of head.split('\r\n')) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon);
    const value = line.slice(colon + 1).trim();
    if (name.toLowerCase() === 'status') status = Number.parseInt(value, 10);
    else response.setHeader(name, value);
  }
  response.writeHead(status);
}

function writeGently(response: ServerResponse, from: NodeJS.ReadableStream, chunk: Buffer): void {
  if (response.write(chunk) || response.destroyed) return;
  from.pause();
  response.once('drain', () => from.resume());
}

function configEnvironment(config: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const entries = Object.entries(config).flatMap(([key, value], index) => [
    [`GIT_CONFIG_KEY_${index}`, key],
    [`GIT_CONFIG_VALUE_${index}`, value],
  ]);
  return { GIT_CONFIG_COUNT: String(Object.keys(config).length), ...Object.fromEntries(entries) };
}

async function readRefs(path: string): Promise<Map<string, string>> {
  const text = await runGit(['for-each-ref', '--format=%(refname) %(objectname)'], { directory: path }).catch(() => '');
  return new Map(
    text
      .split('\n')
      .filter(Boolean)
      .map((line) => line.split(' ') as [string, string]),
  );
}

const NO_COMMIT = '0'.repeat(40);

/** One delivery per ref, in the shape GitHub sends; the fields other hosts send too have the same names there. */
async function deliver(webhook: GitWebhook, repository: string, { ref, before, after }: RefUpdate): Promise<number> {
  const name = repository.replace(/\.git$/, '');
  const body = JSON.stringify({
    ref,
    before: before ?? NO_COMMIT,
    after: after ?? NO_COMMIT,
    created: before === undefined,
    deleted: after === undefined,
    repository: { name: name.split('/').at(-1), full_name: name },
  });
  const signature =
    webhook.secret === undefined
      ? {}
      : { 'x-hub-signature-256': `sha256=${createHmac('sha256', webhook.secret).update(body).digest('hex')}` };
  const headers = { 'content-type': 'application/json', 'x-github-event': 'push', 'x-github-delivery': randomUUID(), ...signature };
  try {
    const { status } = await fetch(webhook.url, { method: 'POST', headers, body, signal: AbortSignal.timeout(10_000) });
    return status;
  } catch {
    return 0;
  }
}

function isAllowed({ headers }: IncomingMessage, auth: GitAuth | undefined): boolean {
  if (!auth) return true;
  const wanted =
    auth.kind === 'bearer' ? `Bearer ${auth.token}` : `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString('base64')}`;
  const given = Buffer.from(headers.authorization ?? '');
  return given.length === Buffer.byteLength(wanted) && timingSafeEqual(given, Buffer.from(wanted));
}

function describe({ method = '', url = '/', headers }: IncomingMessage): GitRequest {
  const { pathname, search } = new URL(url, 'http://loopback');
  const protocol = headers['git-protocol'];
  return {
    method,
    path: pathname,
    query: search.slice(1),
    userAgent: headers['user-agent'],
    protocol: protocol === undefined ? undefined : String(protocol),
  };
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address ? address.port : port);
    });
  });
}
