// The generic signed webhook: verifies, parses, and asks for a look. It can ask for nothing else. Listening is server.ts.
import { createHmac, timingSafeEqual } from 'node:crypto';

/** Largest body that is read. */
export const webhookBodyLimit = 1024 * 1024;

/** One delivery. Header names in lower case. */
export interface WebhookDelivery {
  readonly body: Uint8Array;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The key both sides know; undefined or empty: every delivery is refused. */
  readonly secret: string | undefined;
  /** Looks at every source of this repository now; tells how many will. */
  readonly look: (target: { readonly url: string }) => number;
}

/** What to answer; `body` is JSON. */
export interface WebhookAnswer {
  readonly status: 202 | 400 | 401 | 413 | 503;
  readonly body: string;
}

const signatureHeaders = ['x-setpoint-signature', 'x-hub-signature-256'];

/**
 * Handles `POST /webhook/generic`: `{"repoURL": "https://…", "ref": "main"}` signed with `X-Setpoint-Signature: sha256=<HMAC-SHA-256 of the body in hex>`
 * (or `X-Hub-Signature-256`, the same scheme).
 * Guarantees: nothing of an unsigned body is parsed; the comparison takes the same time for every wrong signature.
 */
export function handleGenericWebhook({ body, headers, secret, look }: WebhookDelivery): WebhookAnswer {
  if (body.length > webhookBodyLimit) return answer(413, { error: `the body is larger than ${webhookBodyLimit} bytes` });
  if (!isSigned(body, headers, secret)) {
    return answer(401, {
      error: 'the signature is missing or wrong: send X-Setpoint-Signature: sha256=<HMAC-SHA-256 of the body, in hex>',
    });
  }
  const repoURL = readRepositoryUrl(body);
  if (repoURL === undefined) return answer(400, { error: 'the body is not {"repoURL": "https://…", "ref": "…"}' });
  return answer(202, { sources: look({ url: repoURL }) });
}

function isSigned(body: Uint8Array, headers: WebhookDelivery['headers'], secret: string | undefined): boolean {
  if (secret === undefined || secret === '') return false;
  const header = signatureHeaders.map((name) => headers[name]).find((value) => value !== undefined);
  const given = typeof header === 'string' ? /^sha256=([0-9a-f]{64})$/i.exec(header.trim())?.[1] : undefined;
  const wanted = createHmac('sha256', secret).update(body).digest();
  return given !== undefined && timingSafeEqual(Buffer.from(given, 'hex'), wanted);
}

/** `ref` is checked and not used: every ref of the repository is looked at, which costs one request per source. */
function readRepositoryUrl(body: Uint8Array): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || !('repoURL' in value) || typeof value.repoURL !== 'string' || value.repoURL === '')
    return undefined;
  if ('ref' in value && value.ref !== undefined && typeof value.ref !== 'string') return undefined;
  return value.repoURL;
}

function answer(status: WebhookAnswer['status'], body: Readonly<Record<string, string | number>>): WebhookAnswer {
  return { status, body: JSON.stringify(body) };
}
