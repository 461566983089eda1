// The Secret by which operator and synth server of one install know each other. The operator makes it on its first start; nobody else needs to.
import { randomBytes } from 'node:crypto';
import { statusOf } from './api-error.ts';
import type { RestClient } from './rest-client.ts';

/** Name of the Secret; the install mounts it into both. */
export const synthKeySecretName = 'setpoint-synth-key';

/** Makes the Secret with a new random key unless it is there. A key that is there is never replaced. Throws OperatorError. */
export async function ensureSynthKey(client: RestClient, namespace: string): Promise<void> {
  const body = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: synthKeySecretName, namespace },
    type: 'Opaque',
    stringData: { key: randomBytes(32).toString('hex') },
  };
  try {
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets`;
    await client.request({ method: 'POST', path, body, doing: `make Secret ${namespace}/${synthKeySecretName}`, redact: withoutBody });
  } catch (error) {
    if (statusOf(error) !== 409) throw error;
  }
}

/** Nothing of the request is quoted. */
function withoutBody(): string {
  return 'the API server refused it';
}
