// A repository on a server: lists refs and fetches packs over smart HTTP, protocol version 2 with fall-back to 1. Decides nothing about refs or objects.
import { OperatorError } from '../../model/error.ts';
import { sourceError } from '../errors.ts';
import type { SourceLimits } from '../limits.ts';
import type { GitHttp, GitResponse } from '../network/git-http.ts';
import type { Credentials, SourceSpec } from '../ports.ts';
import { type Advertisement, parseAdvertisement, parseRefList, type RefList } from './advertisement.ts';
import { type FetchedPack, type FetchRequest, fetchRequestBody, objectFormat, parseFetchResponse } from './fetch-pack.ts';
import { delimiterPacket, flushPacket, packetLine } from './pkt-line.ts';

/** How one conversation with the server goes. */
export interface Conversation {
  readonly signal: AbortSignal;
  /** Ask over a connection of its own. @default false */
  readonly fresh?: boolean;
}

/** Deadlines of the two kinds of requests. */
export interface RemoteDeadlines {
  readonly lookMilliseconds: number;
  readonly fetchMilliseconds: number;
}

/** What a remote is made of. */
export interface RemoteOptions {
  readonly url: URL;
  readonly spec: SourceSpec;
  readonly http: GitHttp;
  readonly limits: SourceLimits;
  readonly deadlines: RemoteDeadlines;
}

interface Access {
  readonly authorization: string | undefined;
  readonly certificateAuthority: string | undefined;
}

/** One repository as one set of credentials sees it. Remembers what the server can do, so that a look is one request. */
export class GitRemote {
  readonly #options: RemoteOptions;
  #base: URL;
  #capabilities: ReadonlyMap<string, string> | undefined;

  constructor(options: RemoteOptions) {
    this.#options = options;
    this.#base = options.url;
  }

  /** The URL for people. It never holds credentials. */
  get name(): string {
    return this.#options.url.href;
  }

  /** The refs that begin with one of the prefixes, and perhaps others. Throws OperatorError; an incomplete list is an error. */
  async listRefs(prefixes: readonly string[], conversation: Conversation): Promise<RefList> {
    return await this.#talk(async (access) => {
      const known = this.#capabilities;
      if (known === undefined) {
        const advertisement = await this.#discover(access, conversation);
        if (advertisement.version === 1) return advertisement.list;
      }
      return await this.#commandListRefs(prefixes, access, conversation);
    });
  }

  /** Fetches a pack. Throws OperatorError; a pack that is not complete is an error, its content is checked by who reads it. */
  async fetchPack(request: FetchRequest, conversation: Conversation): Promise<FetchedPack> {
    const attempt = `fetch from ${this.name}`;
    return await this.#talk(async (access) => {
      let capabilities = this.#capabilities;
      let version: 1 | 2 = 2;
      if (capabilities === undefined) {
        const advertisement = await this.#discover(access, conversation);
        ({ capabilities, version } = advertisement);
      }
      this.#requireFeatures(capabilities, version, request, attempt);
      const body = fetchRequestBody(request, version, capabilities);
      const response = await this.#post(body, version, attempt, access, conversation, this.#options.limits.packBytes);
      return parseFetchResponse(response.body, request, version, attempt);
    });
  }

  /** Credentials are read anew; once more when the server refuses them and they have changed meanwhile. A repository that moved is looked for once. */
  async #talk<Result>(exchange: (access: Access) => Promise<Result>): Promise<Result> {
    const access = await this.#access();
    try {
      return await exchange(access);
    } catch (error) {
      const knewServer = this.#capabilities !== undefined;
      this.#capabilities = undefined;
      this.#base = this.#options.url;
      if (!(error instanceof OperatorError)) throw error;
      const again = error.code === 'AuthFailed' ? await this.#access() : access;
      const rotated = again.authorization !== access.authorization;
      const moved = knewServer && !isRefusedWant(error) && (error.code === 'FetchFailed' || error.code === 'RepositoryNotFound');
      if (!rotated && !moved) throw error;
      return await exchange(again);
    }
  }

  async #access(): Promise<Access> {
    const { credentials, certificateAuthority } = this.#options.spec;
    const [given, authority] = await Promise.all([credentials?.(), certificateAuthority?.()]);
    return { authorization: authorizationOf(given, this.name), certificateAuthority: authority };
  }

  async #discover(access: Access, conversation: Conversation): Promise<Advertisement> {
    const attempt = `list refs of ${this.name}`;
    const response = await this.#options.http.request({
      attempt,
      method: 'GET',
      url: serviceUrl(this.#base, 'info/refs?service=git-upload-pack'),
      headers: { 'git-protocol': 'version=2' },
      ...access,
      accept: 'application/x-git-upload-pack-advertisement',
      maximumBytes: this.#options.limits.advertisementBytes,
      deadlineMilliseconds: this.#options.deadlines.lookMilliseconds,
      freshConnection: conversation.fresh ?? false,
      signal: conversation.signal,
    });
    const advertisement = parseAdvertisement(response.body, attempt);
    this.#base = repositoryOf(response.url, attempt);
    const format = advertisement.capabilities.get('object-format') ?? 'sha1';
    if (format !== 'sha1') {
      throw sourceError('InvalidURL', `${attempt}: the repository uses ${format} object ids`, {
        hint: 'only repositories with SHA-1 object ids are supported',
      });
    }
    this.#capabilities = advertisement.version === 2 ? advertisement.capabilities : undefined;
    return advertisement;
  }

  async #commandListRefs(prefixes: readonly string[], access: Access, conversation: Conversation): Promise<RefList> {
    const attempt = `list refs of ${this.name}`;
    const capabilities = this.#capabilities ?? new Map<string, string>();
    const unborn = capabilities.get('ls-refs')?.split(' ').includes('unborn') === true;
    const body = [
      ...['command=ls-refs', 'agent=setpoint/0.1', ...objectFormat(capabilities)].map(packetLine),
      delimiterPacket,
      ...['peel', 'symrefs', ...(unborn ? ['unborn'] : []), ...prefixes.map((prefix) => `ref-prefix ${prefix}`)].map(packetLine),
      flushPacket,
    ].join('');
    const response = await this.#post(Buffer.from(body), 2, attempt, access, conversation, this.#options.limits.advertisementBytes);
    return parseRefList(response.body, attempt);
  }

  async #post(
    body: Buffer,
    version: 1 | 2,
    attempt: string,
    access: Access,
    conversation: Conversation,
    maximumBytes: number,
  ): Promise<GitResponse> {
    const { lookMilliseconds, fetchMilliseconds } = this.#options.deadlines;
    return await this.#options.http.request({
      attempt,
      method: 'POST',
      url: serviceUrl(this.#base, 'git-upload-pack'),
      headers: { 'content-type': 'application/x-git-upload-pack-request', ...(version === 2 ? { 'git-protocol': 'version=2' } : {}) },
      ...access,
      body,
      accept: 'application/x-git-upload-pack-result',
      maximumBytes,
      deadlineMilliseconds: attempt.startsWith('fetch') ? fetchMilliseconds : lookMilliseconds,
      freshConnection: conversation.fresh ?? false,
      signal: conversation.signal,
    });
  }

  #requireFeatures(capabilities: ReadonlyMap<string, string>, version: 1 | 2, request: FetchRequest, attempt: string): void {
    const missing =
      version === 1
        ? ['side-band-64k', ...(request.depth === undefined ? [] : ['shallow'])].find((name) => !capabilities.has(name))
        : undefined;
    if (missing !== undefined)
      throw sourceError('FetchFailed', `${attempt}: the server does not offer ${missing}`, { hint: 'use a current Git server' });
  }
}

/** The header value for credentials. Throws `AuthFailed` for a token that no header can hold. */
function authorizationOf(credentials: Credentials | undefined, name: string): string | undefined {
  if (credentials === undefined) return undefined;
  if (credentials.type === 'basic') return `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')}`;
  if (/^[\x21-\x7e]+$/.test(credentials.token)) return `Bearer ${credentials.token}`;
  throw sourceError('AuthFailed', `list refs of ${name}: the bearer token is empty or holds a space or line break`, {
    hint: 'store the token in the Secret without a line break at the end (printf, not echo)',
  });
}

function serviceUrl(base: URL, service: string): URL {
  return new URL(`${base.href.replace(/\/+$/, '')}/${service}`);
}

/** The repository's URL after redirects of its info/refs. */
function repositoryOf(answered: URL, attempt: string): URL {
  const suffix = '/info/refs';
  if (!answered.pathname.endsWith(suffix))
    throw sourceError('RepositoryNotFound', `${attempt}: redirected to ${answered.origin}${answered.pathname}, which is no Git repository`);
  const base = new URL(answered.origin);
  base.pathname = answered.pathname.slice(0, -suffix.length);
  return base;
}

/** True when the server said that it does not give this commit. */
export function isRefusedWant(error: unknown): boolean {
  return (
    error instanceof OperatorError &&
    error.code === 'FetchFailed' &&
    /not our ref|unadvertised object|want .* not valid/i.test(error.message)
  );
}
