// HTTP for Git: one request with a deadline, a minimum speed, a byte cap, and redirects that stay on the host. Knows status codes, not pkt-lines.
import { createHash } from 'node:crypto';
import { type Dispatcher, Pool } from 'undici';
import type { Clock } from '../../model/clock.ts';
import type { OperatorError } from '../../model/error.ts';
import { sourceError } from '../errors.ts';
import { type AddressPolicy, compileAddressPolicy } from './address-policy.ts';
import { guardedConnector, type ResolveName } from './connector.ts';
import { HostBudget } from './host-budget.ts';
import { codeOf, connectionError, refusalOf, retryAfterSeconds } from './http-refusal.ts';

/** How the operator may use the network. */
export interface NetworkOptions {
  readonly addresses?: AddressPolicy;
  /** @default 10 s */
  readonly connectMilliseconds?: number;
  /** Requests in flight per host. @default 4 */
  readonly requestsPerHost?: number;
  /** A response that brings fewer bytes over `slowWindowMilliseconds` is given up. @default 1000 */
  readonly minimumBytesPerSecond?: number;
  /** @default 15 s */
  readonly slowWindowMilliseconds?: number;
  /** Name resolution. @default the system's */
  readonly resolve?: ResolveName;
}

/** One request. `attempt` says for people what it is for: `list refs of https://…`. */
export interface GitRequest {
  readonly attempt: string;
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** The value of the Authorization header; sent to the host of `url` only. */
  readonly authorization: string | undefined;
  readonly certificateAuthority: string | undefined;
  readonly body?: Uint8Array;
  readonly accept: string;
  /** Over this the answer is given up with `RepoTooLarge`. */
  readonly maximumBytes: number;
  readonly deadlineMilliseconds: number;
  /** Use a connection of its own, so that another replica behind a load balancer may answer. */
  readonly freshConnection: boolean;
  readonly signal: AbortSignal;
}

/** A successful answer. */
export interface GitResponse {
  /** Where the answer came from, after redirects. */
  readonly url: URL;
  readonly body: Buffer;
}

const maximumRedirects = 5;
const maximumPools = 256;
const poolIdleMilliseconds = 60_000;

/** Keeps connections alive per origin and certificate authority. */
export class GitHttp {
  readonly budget: HostBudget;
  readonly #options: NetworkOptions;
  readonly #check: ReturnType<typeof compileAddressPolicy>;
  readonly #pools = new Map<string, Pool>();

  constructor(options: NetworkOptions, clock: Clock) {
    this.#options = options;
    this.#check = compileAddressPolicy(options.addresses ?? {});
    this.budget = new HostBudget(clock, options.requestsPerHost ?? 4);
  }

  /**
   * Sends one request and reads the whole answer.
   * Guarantees: the body is complete by its Content-Length or its last chunk, of the accepted type, within cap, deadline and minimum speed.
   * Throws OperatorError.
   */
  async request(request: GitRequest): Promise<GitResponse> {
    const pause = this.budget.pauseLeft(request.url.host);
    if (pause > 0) {
      throw sourceError('RateLimited', `${request.attempt}: ${request.url.host} asked for a pause of ${Math.ceil(pause)} s more`, {
        retryAfterSeconds: Math.ceil(pause),
        hint: 'it is asked again after that',
      });
    }
    return await this.budget.run(request.url.host, request.signal, () => this.#follow(request));
  }

  /** Ends all connections. */
  async close(): Promise<void> {
    const pools = [...this.#pools.values()];
    this.#pools.clear();
    await Promise.all(pools.map((pool) => pool.destroy()));
  }

  async #follow(request: GitRequest): Promise<GitResponse> {
    const stop = new AbortController();
    const deadline = setTimeout(
      () => stop.abort(tooLate(request, `no complete answer within ${request.deadlineMilliseconds} ms`)),
      request.deadlineMilliseconds,
    );
    const signal = AbortSignal.any([request.signal, stop.signal]);
    try {
      let url = request.url;
      for (let redirects = 0; redirects <= maximumRedirects; redirects += 1) {
        const answer = await this.#exchange({ ...request, url }, signal, stop);
        if (!(answer instanceof URL)) return { url, body: answer };
        url = answer;
      }
      throw sourceError('HostNotAllowed', `${request.attempt}: more than ${maximumRedirects} redirects`, {
        hint: 'use the final URL of the repository',
      });
    } catch (error) {
      if (request.signal.aborted) throw request.signal.reason;
      throw stop.signal.aborted ? stop.signal.reason : error;
    } finally {
      clearTimeout(deadline);
    }
  }

  /** One exchange without following: the body, or where the server points to. */
  async #exchange(request: GitRequest, signal: AbortSignal, stop: AbortController): Promise<Buffer | URL> {
    const pool = request.freshConnection ? this.#newPool(request) : this.#pool(request);
    try {
      const response = await this.#send(pool, request, signal);
      const { statusCode } = response;
      if (statusCode === 200) return await this.#readBody(response, request, stop);
      response.body.on('error', () => undefined).destroy();
      const location = response.headers['location'];
      if (statusCode >= 300 && statusCode < 400 && typeof location === 'string') return redirectTarget(request, location);
      const wait = retryAfterSeconds(response.headers, statusCode, new Date());
      if (wait !== undefined) this.budget.pause(request.url.host, wait);
      throw refusalOf(request, statusCode, wait);
    } finally {
      if (request.freshConnection) await pool.destroy();
    }
  }

  /** Sends; once more when a connection kept alive turned out to be closed before the first byte of an answer. */
  async #send(pool: Pool, request: GitRequest, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const { url, method, body = null } = request;
    const headers = {
      ...request.headers,
      accept: request.accept,
      'accept-encoding': 'identity',
      'user-agent': 'git/setpoint',
      ...(request.authorization === undefined ? {} : { authorization: request.authorization }),
    };
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await pool.request({ method, path: `${url.pathname}${url.search}`, headers, body, signal });
      } catch (error) {
        if (attempt === 1 && !signal.aborted && isClosedSocket(error)) continue;
        throw connectionError(request, error);
      }
    }
  }

  async #readBody(response: Dispatcher.ResponseData, request: GitRequest, stop: AbortController): Promise<Buffer> {
    const { headers, body } = response;
    const chunks: Uint8Array[] = [];
    let received = 0;
    let seen = 0;
    const window = this.#options.slowWindowMilliseconds ?? 15_000;
    const minimum = ((this.#options.minimumBytesPerSecond ?? 1000) * window) / 1000;
    const speed = setInterval(() => {
      if (received - seen < minimum) stop.abort(tooLate(request, `only ${received - seen} bytes came in ${window} ms`));
      seen = received;
    }, window);
    try {
      requireFramedBody(headers, request);
      for await (const chunk of body as AsyncIterable<Uint8Array>) {
        received += chunk.length;
        if (received > request.maximumBytes) {
          throw sourceError('RepoTooLarge', `${request.attempt}: the answer is larger than ${request.maximumBytes} bytes`, {
            hint: 'keep large files out of the manifest repo, or raise the limit',
          });
        }
        chunks.push(chunk);
      }
      return Buffer.concat(chunks, received);
    } catch (error) {
      throw connectionError(request, error);
    } finally {
      clearInterval(speed);
      body.on('error', () => undefined).destroy();
    }
  }

  #pool(request: GitRequest): Pool {
    const authority = request.certificateAuthority;
    const key = `${request.url.origin} ${authority === undefined ? '' : createHash('sha256').update(authority).digest('hex')}`;
    const pool = this.#pools.get(key) ?? this.#newPool(request);
    this.#pools.delete(key);
    this.#pools.set(key, pool);
    for (const [oldest, idle] of this.#pools) {
      if (this.#pools.size <= maximumPools) break;
      this.#pools.delete(oldest);
      void idle.close();
    }
    return pool;
  }

  #newPool(request: GitRequest): Pool {
    return new Pool(request.url.origin, {
      connections: this.#options.requestsPerHost ?? 4,
      pipelining: 1,
      keepAliveTimeout: poolIdleMilliseconds,
      // our own deadline and speed limit decide
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: guardedConnector({
        check: this.#check,
        connectMilliseconds: this.#options.connectMilliseconds ?? 10_000,
        certificateAuthority: request.certificateAuthority,
        resolve: this.#options.resolve,
      }),
    });
  }
}

function tooLate(request: GitRequest, what: string): OperatorError {
  return sourceError('RepositoryUnreachable', `${request.attempt}: ${what}`, { hint: 'see whether the Git server is overloaded' });
}

/** The end of the body must be told by the server; the end of the connection is not it. */
function requireFramedBody(headers: Dispatcher.ResponseData['headers'], request: GitRequest): void {
  const chunked = /\bchunked\b/i.test(String(headers['transfer-encoding'] ?? ''));
  if (headers['content-length'] === undefined && !chunked) {
    throw sourceError(
      'FetchFailed',
      `${request.attempt}: the answer has neither Content-Length nor chunks, so its end cannot be told from a cut`,
    );
  }
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    throw sourceError('FetchFailed', `${request.attempt}: the answer is compressed though that was not asked for`);
  }
  const type = String(headers['content-type'] ?? '').split(';')[0];
  if (type !== request.accept) {
    throw sourceError('RepositoryNotFound', `${request.attempt}: the answer is not Git's (content type "${type}")`, {
      hint: 'check repoURL: it must be the URL that git clone takes over http(s)',
    });
  }
}

/** Redirects stay on the host and port, or go from http to https of the same host. Anything else could carry credentials away. */
function redirectTarget(request: GitRequest, location: string): URL {
  const target = URL.canParse(location, request.url.href) ? new URL(location, request.url.href) : undefined;
  const upgrade = request.url.protocol === 'http:' && target?.protocol === 'https:' && request.url.port === '' && target.port === '';
  const sameHost = target?.hostname === request.url.hostname;
  const samePlace = sameHost && target.port === request.url.port && target.protocol === request.url.protocol;
  if (target === undefined || target.username !== '' || target.password !== '' || !(samePlace || (sameHost && upgrade))) {
    const where = target === undefined ? 'an invalid URL' : `${target.protocol}//${target.host}`;
    throw sourceError('HostNotAllowed', `${request.attempt}: the server redirects to ${where}, which is not followed`, {
      hint: 'credentials belong to one host; if the repository moved, change repoURL',
    });
  }
  if (request.method === 'POST') {
    throw sourceError('FetchFailed', `${request.attempt}: the repository moved on the server`, { hint: 'it is looked for again' });
  }
  return target;
}

function isClosedSocket(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'UND_ERR_SOCKET' || code === 'ECONNRESET' || code === 'EPIPE';
}
