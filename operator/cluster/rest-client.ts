// JSON requests to the API server: identity, time limits, retry of what is safe to repeat, `request` events. The only maker of impersonated requests.

import { setTimeout } from 'node:timers/promises';
import { OperatorError, type Stage } from '../model/error.ts';
import type { EmitEvent } from '../model/event.ts';
import type { TenantIdentity } from '../model/identity.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../model/json.ts';
import { type Attempt, refused, unreachable, unusable } from './api-error.ts';
import type { ClusterConnection } from './connection.ts';
import { startDeadline } from './deadline.ts';
import { createTransport, type Transport, type WireResponse, type WriteGuard } from './transport.ts';

/** One request. All of them are safe to repeat: reads, server-side applies, writes with a precondition. */
export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: JsonValue;
  readonly contentType?: string;
  readonly accept?: string;
  /** `apply Deployment shop/web`: begins the text of an error. */
  readonly doing: string;
  /** @default 'cluster' */
  readonly stage?: Stage;
  readonly redact?: (text: string) => string;
  readonly signal?: AbortSignal;
  /** Limit on one try. @default 30,000 */
  readonly timeoutMilliseconds?: number;
}

/** Sends requests as one identity. Throws OperatorError for every refusal and lost connection. */
export interface RestClient {
  request(request: ApiRequest): Promise<JsonObject>;
  /** The answer's body as it comes, until the signal aborts. No time limit, no retry. */
  stream(request: ApiRequest & { readonly signal: AbortSignal }): Promise<AsyncIterable<Uint8Array>>;
}

/** The operator's own client, and the one factory of clients that act for tenants. */
export interface OperatorClient extends RestClient {
  /** A client whose every request is impersonated. Throws OperatorError `ImpersonationRequired` without a user. */
  impersonating(identity: TenantIdentity): RestClient;
  readonly server: URL;
  close(): Promise<void>;
}

/** Tries after the first, for lost connections, 429 and 5xx. */
const maxRetries = 4;
/** The longest the client itself waits because the server asked for it; beyond, the error carries the time. */
const maxRetryAfterSeconds = 10;

/** A client for one cluster. */
export function createRestClient(options: {
  readonly connection: ClusterConnection;
  readonly emit?: EmitEvent;
  readonly userAgent?: string;
  /** Throws when nothing may be written now, dry runs included. @default everything may be sent */
  readonly guard?: WriteGuard;
}): OperatorClient {
  const wire: Wire = {
    connection: options.connection,
    transport: createTransport(options.connection, options.guard),
    emit: options.emit ?? (() => undefined),
    userAgent: options.userAgent ?? 'setpoint',
    heldUntil: 0,
  };
  return {
    ...clientOf(wire, {}),
    impersonating: (identity) => clientOf(wire, impersonationHeaders(identity)),
    server: options.connection.server,
    close: () => wire.transport.close(),
  };
}

/** The API server adds the groups of a ServiceAccount itself, so that the right to impersonate ServiceAccounts is all it takes. */
function impersonationHeaders(identity: TenantIdentity): Readonly<Record<string, string>> {
  const user = typeof identity?.user === 'string' ? identity.user : '';
  if (!/^system:serviceaccount:[^:\s]+:[^:\s]+$/.test(user)) {
    throw new OperatorError('no identity to act as: a request on user objects must name a ServiceAccount', {
      code: 'ImpersonationRequired',
      stage: 'cluster',
      fate: 'terminal',
      hint: 'set spec.serviceAccountName',
    });
  }
  return { 'impersonate-user': user };
}

interface Wire {
  readonly connection: ClusterConnection;
  readonly transport: Transport;
  readonly emit: EmitEvent;
  readonly userAgent: string;
  /** Monotonic milliseconds until which the server asked everybody to wait. */
  heldUntil: number;
}

function clientOf(wire: Wire, identityHeaders: Readonly<Record<string, string>>): RestClient {
  return {
    async request(request) {
      const text = await sendWithRetry(wire, request, identityHeaders);
      return parseAnswer(attemptOf(request), text);
    },
    async stream(request) {
      const translated = (error: unknown): unknown =>
        request.signal.aborted || error instanceof OperatorError
          ? error
          : unreachable(attemptOf(request), wire.connection.server.host, error);
      try {
        await held(wire, request.signal);
        const answer = await sendOnce(wire, request, identityHeaders, { signal: request.signal, isLong: true, refreshCredentials: false });
        if (answer.status < 300) return readingBody(answer.body, translated);
        throw refused(attemptOf(request), answer.status, await answer.body.text(), retryAfter(answer));
      } catch (error) {
        throw translated(error);
      }
    },
  };
}

async function* readingBody(body: AsyncIterable<Uint8Array>, translated: (error: unknown) => unknown): AsyncIterable<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    throw translated(error);
  }
}

async function sendWithRetry(wire: Wire, request: ApiRequest, identityHeaders: Readonly<Record<string, string>>): Promise<string> {
  let refreshCredentials = false;
  for (let tries = 0; ; tries += 1) {
    await held(wire, request.signal);
    using deadline = startDeadline(request.signal, request.timeoutMilliseconds ?? 30_000);
    let error: OperatorError;
    try {
      const answer = await sendOnce(wire, request, identityHeaders, { signal: deadline.signal, isLong: false, refreshCredentials });
      refreshCredentials = answer.status === 401;
      const text = await answer.body.text();
      if (answer.status < 300) return text;
      error = refused(attemptOf(request), answer.status, text, retryAfter(answer));
      if (!isRepeatable(answer.status, error, tries)) throw error;
      if (error.retryAfterSeconds !== undefined) wire.heldUntil = performance.now() + error.retryAfterSeconds * 1000;
    } catch (caught) {
      request.signal?.throwIfAborted();
      if (caught instanceof OperatorError) throw caught;
      error = unreachable(attemptOf(request), wire.connection.server.host, caught);
      // A server that hung once for the whole limit is not waited for again.
      if (deadline.signal.aborted) throw error;
    }
    if (tries >= maxRetries) throw error;
    if (error.retryAfterSeconds === undefined) await pause(50 * 3 ** tries * (0.5 + Math.random()), request.signal);
  }
}

function isRepeatable(status: number, error: OperatorError, tries: number): boolean {
  if ((error.retryAfterSeconds ?? 0) > maxRetryAfterSeconds) return false;
  // Once: the credentials are read anew for it.
  if (status === 401) return tries === 0;
  return status === 429 || status === 502 || status === 503 || status === 504;
}

interface Sending {
  readonly signal: AbortSignal;
  readonly isLong: boolean;
  readonly refreshCredentials: boolean;
}

async function sendOnce(
  wire: Wire,
  request: ApiRequest,
  identityHeaders: Readonly<Record<string, string>>,
  { signal, isLong, refreshCredentials }: Sending,
): Promise<WireResponse> {
  const authorization = await wire.connection.authorization(refreshCredentials);
  const body = request.body === undefined ? undefined : JSON.stringify(request.body);
  const query = request.query === undefined ? '' : `?${new URLSearchParams(request.query).toString()}`;
  try {
    const answer = await wire.transport.send({
      method: request.method,
      path: request.path + query,
      headers: {
        accept: request.accept ?? 'application/json',
        'user-agent': wire.userAgent,
        ...(body === undefined ? {} : { 'content-type': request.contentType ?? 'application/json' }),
        ...(authorization === undefined ? {} : { authorization }),
        ...identityHeaders,
      },
      signal,
      isLong,
      ...(body === undefined ? {} : { body }),
    });
    wire.emit({ type: 'request', method: request.method, code: answer.status, host: wire.connection.server.host });
    return answer;
  } catch (error) {
    // What the guard kept back was no request.
    if (!signal.aborted && !(error instanceof OperatorError))
      wire.emit({ type: 'request', method: request.method, code: 0, host: wire.connection.server.host });
    throw error;
  }
}

function attemptOf(request: ApiRequest): Attempt {
  return { doing: request.doing, stage: request.stage ?? 'cluster', ...(request.redact === undefined ? {} : { redact: request.redact }) };
}

function parseAnswer(attempt: Attempt, text: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw unusable(attempt, 'it is not valid JSON');
  }
  if (!isJsonObject(value)) throw unusable(attempt, 'it is not a JSON object');
  return value;
}

function retryAfter(answer: WireResponse): number | undefined {
  const seconds = Number(answer.headers['retry-after'] ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds : undefined;
}

async function held(wire: Wire, signal: AbortSignal | undefined): Promise<void> {
  for (let wait = wire.heldUntil - performance.now(); wait > 0; wait = wire.heldUntil - performance.now()) {
    await pause(wait * (1 + Math.random() / 10), signal);
  }
}

/** Waits; an abort ends it with the signal's own reason. */
async function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await setTimeout(milliseconds, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}
