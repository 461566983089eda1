// A webhook call that reached a standby: passed on to the operator that leads. The standby itself asks for nothing and writes nothing.
import { handleGenericWebhook, type WebhookAnswer, type WebhookDelivery } from './webhook.ts';

/** A call, and where the leader is. */
export interface ForwardedDelivery extends Omit<WebhookDelivery, 'look'> {
  /** `http://10.0.0.7:8080`; undefined: nobody leads, or nobody said where. */
  readonly leader: string | undefined;
}

/** Marks a call that was passed on once: a replica that does not lead either answers it itself. */
const forwardedHeader = 'x-setpoint-forwarded';
const signatureHeaders = ['x-setpoint-signature', 'x-hub-signature-256'];
const forwardMilliseconds = 5_000;

/**
 * The leader's answer, or 503 when there is none: senders that repeat will reach it, and the next poll finds the commit anyway.
 * Guarantees: only what is signed is passed on, and as it came, so that the leader can verify it too.
 */
export async function forwardWebhook({ leader, ...delivery }: ForwardedDelivery): Promise<WebhookAnswer> {
  const verdict = handleGenericWebhook({ ...delivery, look: () => 0 });
  if (verdict.status !== 202) return verdict;
  if (leader === undefined || delivery.headers[forwardedHeader] !== undefined) return noLeader();
  const signatures = signatureHeaders.flatMap((name) => {
    const value = delivery.headers[name];
    return typeof value === 'string' ? [[name, value] as const] : [];
  });
  try {
    const answer = await fetch(new URL('/webhook/generic', leader), {
      method: 'POST',
      body: Uint8Array.from(delivery.body),
      headers: { ...Object.fromEntries(signatures), 'content-type': 'application/json', [forwardedHeader]: '1' },
      redirect: 'error',
      signal: AbortSignal.timeout(forwardMilliseconds),
    });
    return answer.status === 202 ? { status: 202, body: await answer.text() } : noLeader();
  } catch {
    // Whatever kept the leader from answering, the sender learns that nobody took the call.
    return noLeader();
  }
}

function noLeader(): WebhookAnswer {
  return { status: 503, body: JSON.stringify({ error: 'no operator leads at the moment; send it again, or wait for the next poll' }) };
}
