// JSON requests to an API server, for setting up and looking at clusters in development and tests. No watch, no types, no retries.
import { Agent, request } from 'undici';
import { readKubeconfig } from './kubeconfig.ts';

export interface ApiRequest {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export interface ApiResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The body as text, as it came. */
  readonly text: string;
}

/** A response of 400 or above. */
export class ApiRefusal extends Error {
  readonly status: number;
  readonly reason: string | undefined;
  readonly body: unknown;

  constructor(what: string, response: ApiResponse) {
    const body = tryParse(response.text) as { message?: string; reason?: string } | undefined;
    super(`${what}: ${response.status} ${body?.message ?? response.text.slice(0, 500)}`);
    this.name = 'ApiRefusal';
    this.status = response.status;
    this.reason = body?.reason;
    this.body = body ?? response.text;
  }
}

export interface ApiClient {
  readonly url: string;
  /** Sends one request whatever its status. @throws only when there is no response. */
  send(path: string, request?: ApiRequest): Promise<ApiResponse>;
  /** Sends one request and parses its body. @throws {ApiRefusal} for 400 and above. */
  json<T = Record<string, unknown>>(path: string, request?: ApiRequest): Promise<T>;
  close(): Promise<void>;
}

export interface ApiCredentials {
  readonly url: string;
  readonly ca?: string | undefined;
  readonly token?: string | undefined;
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
}

/** Opens a client with the credentials of a kubeconfig file (token or client certificate). */
export function connectWithKubeconfig(path: string): ApiClient {
  return connect(readKubeconfig(path));
}

export function connect(credentials: ApiCredentials): ApiClient {
  const { ca, certificate: cert, key } = credentials;
  const agent = new Agent({ connect: { ...(ca ? { ca } : {}), ...(cert ? { cert } : {}), ...(key ? { key } : {}) }, connections: 16 });
  const send = async (path: string, { method = 'GET', body, headers, signal }: ApiRequest = {}): Promise<ApiResponse> => {
    const response = await request(new URL(path, credentials.url), {
      method,
      dispatcher: agent,
      headers: {
        accept: 'application/json',
        ...(credentials.token ? { authorization: `Bearer ${credentials.token}` } : {}),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      ...(signal ? { signal } : {}),
    });
    return { status: response.statusCode, headers: response.headers, text: await response.body.text() };
  };
  return {
    url: credentials.url,
    send,
    async json<T>(path: string, options?: ApiRequest): Promise<T> {
      const response = await send(path, options);
      if (response.status >= 400) throw new ApiRefusal(`${options?.method ?? 'GET'} ${path}`, response);
      return JSON.parse(response.text) as T;
    },
    close: () => agent.destroy(),
  };
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
