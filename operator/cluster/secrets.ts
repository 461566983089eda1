// Values of Secrets, read as the Application's own identity each time they are needed. Nothing is kept.
import { OperatorError } from '../model/error.ts';
import { isJsonObject } from '../model/json.ts';
import type { SecretReader } from '../reconcile/ports.ts';
import { statusOf } from './api-error.ts';
import type { OperatorClient } from './rest-client.ts';

/** A reader of one cluster. The tenant's ServiceAccount needs `get` on the Secret. */
export function createSecretReader(client: OperatorClient): SecretReader {
  return {
    async read(identity, name) {
      const doing = `read Secret ${identity.namespace}/${name}`;
      try {
        const path = `/api/v1/namespaces/${encodeURIComponent(identity.namespace)}/secrets/${encodeURIComponent(name)}`;
        const { data } = await client.impersonating(identity).request({ method: 'GET', path, doing, stage: 'source' });
        if (!isJsonObject(data)) return {};
        return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, decoded(value, doing)]));
      } catch (error) {
        if (statusOf(error) === 404) return undefined;
        throw error;
      }
    },
  };
}

function decoded(value: unknown, doing: string): Uint8Array {
  if (typeof value !== 'string')
    throw new OperatorError(`${doing}: its data is not text`, { code: 'SecretNotFound', stage: 'source', fate: 'transient' });
  return Buffer.from(value, 'base64');
}
