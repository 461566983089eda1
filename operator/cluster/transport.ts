// Bytes to and from one API server over kept connections. Knows nothing of Kubernetes: no JSON, no identity, no retry.
import { DecoratorHandler, type Dispatcher, Pool } from 'undici';
import type { ClusterConnection } from './connection.ts';

/** One HTTP request. */
export interface WireRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** The answer goes on for minutes: it must not hold a connection that requests wait for. */
  readonly isLong: boolean;
  readonly signal: AbortSignal;
}

/** The head of an answer, and its body as it comes. */
export interface WireResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: AsyncIterable<Uint8Array> & { text(): Promise<string> };
}

/** A way to reach one API server. */
export interface Transport {
  send(request: WireRequest): Promise<WireResponse>;
  close(): Promise<void>;
}

/**
 * Asked at the last moment before a request that is no read goes out; a throw keeps it from the wire and becomes the request's error.
 * Queued and repeated requests are asked about when their turn comes, not when they were made.
 */
export type WriteGuard = () => void;

/** Requests in flight at once, watches not counted. More does not make the server faster. */
const connections = 24;

/**
 * Kept-alive connections for requests and, apart from them, for watches, so that neither starves the other.
 * One request per connection: a lost connection fails one request, not all that are in flight.
 */
export function createTransport(connection: ClusterConnection, guard: WriteGuard = () => undefined): Transport {
  const { ca, cert, key, serverName, insecure } = connection.tls;
  const connect = {
    rejectUnauthorized: !insecure,
    timeout: 10_000,
    keepAlive: true,
    keepAliveInitialDelay: 15_000,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(serverName === undefined ? {} : { servername: serverName }),
  };
  // Time is limited by the caller's signal; a watch is silent for minutes.
  const limits = { connect, pipelining: 1, allowH2: false, headersTimeout: 0, bodyTimeout: 0, keepAliveTimeout: 60_000 };
  const requests = new Pool(connection.server, { ...limits, connections });
  const watches = new Pool(connection.server, { ...limits, connections: null });
  const guarded = { requests: requests.compose(guardWrites(guard)), watches: watches.compose(guardWrites(guard)) };
  return {
    async send(request) {
      const dispatcher = request.isLong ? guarded.watches : guarded.requests;
      const answer = await dispatcher.request({
        method: request.method as 'GET',
        path: request.path,
        headers: request.headers,
        body: request.body ?? null,
        signal: request.signal,
      });
      return { status: answer.statusCode, headers: answer.headers, body: answer.body };
    },
    async close() {
      await Promise.all([requests.destroy(), watches.destroy()]);
    },
  };
}

function guardWrites(guard: WriteGuard): Dispatcher.DispatcherComposeInterceptor {
  return (dispatch) => (options, handler) => {
    const isRead = options.method === 'GET' || options.method === 'HEAD';
    return dispatch(options, isRead ? handler : new GuardedHandler(handler, guard));
  };
}

class GuardedHandler extends DecoratorHandler {
  readonly #handler: Dispatcher.DispatchHandler;
  readonly #guard: WriteGuard;

  constructor(handler: Dispatcher.DispatchHandler, guard: WriteGuard) {
    super(handler);
    this.#handler = handler;
    this.#guard = guard;
  }

  /** Called when a connection is free and nothing of the request has been sent. */
  onRequestStart(controller: Dispatcher.DispatchController, context: unknown): void {
    try {
      this.#guard();
    } catch (error) {
      controller.abort(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    this.#handler.onRequestStart?.(controller, context);
  }
}
