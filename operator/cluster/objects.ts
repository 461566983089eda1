// Users' objects: server-side apply, delete and read, each as the identity of the Application it is for. Nothing here acts as the operator.

import { fieldManager } from '../../constructs/annotations.ts';
import type { ApplyOptions, DeleteResult, ObjectWriter } from '../apply/ports.ts';
import { OperatorError } from '../model/error.ts';
import type { TenantIdentity } from '../model/identity.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../model/json.ts';
import type { KubeObject } from '../model/manifest.ts';
import { formatRef, type ObjectRef } from '../model/object-ref.ts';
import { formatManagedFields } from '../model/own-fields.ts';
import { refusalOf, statusOf } from './api-error.ts';
import { type Discovery, pathOf } from './discovery.ts';
import type { OperatorClient } from './rest-client.ts';

/**
 * Writes users' objects.
 * Guarantees: no request without impersonation; an apply is safe to repeat; a delete names the UID it means, so an object that was made anew under the same name stays.
 */
export function createObjectWriter(client: OperatorClient, discovery: Discovery): ObjectWriter {
  return {
    async apply(identity, object, options, signal) {
      const ref = refOf(object);
      const doing = `${options.dryRun ? 'dry-run' : 'apply'} ${formatRef(ref)}`;
      const tenant = client.impersonating(identity);
      const kind = await discovery.find(ref, doing);
      return tenant.request({
        method: 'PATCH',
        path: pathOf(kind, ref),
        query: applyQuery(options),
        contentType: 'application/apply-patch+yaml',
        body:
          options.resourceVersion === undefined
            ? object
            : { ...object, metadata: { ...object.metadata, resourceVersion: options.resourceVersion } },
        doing,
        stage: 'apply',
        signal,
        ...redaction(object),
      });
    },

    async replaceManagedFields(identity, ref, { managedFields, resourceVersion }, signal) {
      const doing = `take over ${formatRef(ref)}`;
      const kind = await discovery.find(ref, doing);
      const answer = await client.impersonating(identity).request({
        method: 'PATCH',
        path: pathOf(kind, ref),
        query: { fieldManager },
        contentType: 'application/json-patch+json',
        // The version that is written along makes the server refuse the patch when anybody wrote in between.
        body: [
          { op: 'replace', path: '/metadata/managedFields', value: managedFields.map(formatManagedFields) },
          { op: 'replace', path: '/metadata/resourceVersion', value: resourceVersion },
        ],
        doing,
        stage: 'apply',
        signal,
      });
      const metadata = isJsonObject(answer['metadata']) ? answer['metadata'] : {};
      return String(metadata['resourceVersion']);
    },

    async delete(identity, ref, uid, signal) {
      const doing = `delete ${formatRef(ref)}`;
      if (uid === '') throw new OperatorError(`${doing}: its UID is not known`, { code: 'Internal', stage: 'apply', fate: 'terminal' });
      const tenant = client.impersonating(identity);
      const kind = await discovery.locate(ref, doing);
      // Its definition is gone, and every object of the kind with it.
      if (kind === undefined) return { state: 'gone' };
      try {
        const answer = await tenant.request({
          method: 'DELETE',
          path: pathOf(kind, ref),
          // Background: dependents are the garbage collector's, and no finalizer of ours or its is left to wait for.
          body: { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid }, propagationPolicy: 'Background' },
          doing,
          stage: 'apply',
          signal,
        });
        return deletionOf(answer);
      } catch (error) {
        if (statusOf(error) === 404) return { state: 'gone' };
        if (statusOf(error) === 409 && /UID in (the )?precondition/i.test(refusalOf(error)?.message ?? '')) return { state: 'replaced' };
        throw error;
      }
    },

    async patch(identity, ref, operations, signal, options) {
      const dryRun = options?.dryRun === true;
      const doing = `${dryRun ? 'dry-run a patch of' : 'patch'} ${formatRef(ref)}`;
      const tenant = client.impersonating(identity);
      const kind = await discovery.find(ref, doing);
      return tenant.request({
        method: 'PATCH',
        path: pathOf(kind, ref),
        query: { fieldManager, ...(dryRun ? { dryRun: 'All' } : {}) },
        contentType: 'application/json-patch+json',
        body: operations,
        doing,
        stage: 'apply',
        signal,
      });
    },

    read: (identity, ref, signal) => readAs(client, discovery, identity, ref, signal),
  };
}

async function readAs(
  client: OperatorClient,
  discovery: Discovery,
  identity: TenantIdentity,
  ref: ObjectRef,
  signal: AbortSignal,
): Promise<JsonObject | undefined> {
  const doing = `read ${formatRef(ref)}`;
  const tenant = client.impersonating(identity);
  const kind = await discovery.find(ref, doing);
  try {
    return await tenant.request({ method: 'GET', path: pathOf(kind, ref), doing, stage: 'apply', signal });
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw error;
  }
}

/** The server checks applied fields against its schema whatever `fieldValidation` says. */
function applyQuery(options: ApplyOptions): Readonly<Record<string, string>> {
  return {
    fieldManager,
    force: String(options.force),
    ...(options.dryRun ? { dryRun: 'All' } : {}),
  };
}

/** A Status means it is gone; an object means that it still waits for something. */
function deletionOf(answer: JsonObject): DeleteResult {
  if (answer['kind'] === 'Status') return { state: 'deleted' };
  const metadata = isJsonObject(answer['metadata']) ? answer['metadata'] : {};
  if (metadata['deletionTimestamp'] === undefined) return { state: 'deleted' };
  const spec = isJsonObject(answer['spec']) ? answer['spec'] : {};
  const finalizers = [...textsIn(metadata['finalizers']), ...(answer['kind'] === 'Namespace' ? textsIn(spec['finalizers']) : [])];
  return { state: 'terminating', finalizers };
}

function refOf(object: KubeObject): ObjectRef {
  return { apiVersion: object.apiVersion, kind: object.kind, namespace: object.metadata.namespace ?? '', name: object.metadata.name };
}

function textsIn(value: JsonValue | undefined): readonly string[] {
  return Array.isArray(value) ? (value as readonly JsonValue[]).filter((item) => typeof item === 'string') : [];
}

/** The server quotes what it refuses. For a Secret its values are taken out of the text, in both of their forms, and so is every excerpt of the body. */
function redaction(object: KubeObject): { readonly redact?: (text: string) => string } {
  if (object.kind !== 'Secret' || object.apiVersion !== 'v1') return {};
  const values = [object['data'], object['stringData']]
    .filter(isJsonObject)
    .flatMap((data) => Object.values(data))
    .filter((value) => typeof value === 'string' && value !== '')
    .flatMap((value) => [value as string, Buffer.from(value as string, 'base64').toString('utf8')])
    .filter((value) => value.length >= 3)
    .sort((left, right) => right.length - left.length);
  return {
    redact: (text) => {
      const cut = text
        .replace(/\berror found in #\d+ byte of .*$/s, 'the rest is withheld')
        .replace(/Invalid value: ("(?:[^"\\]|\\.)*"|\S+)/gs, 'Invalid value: ***');
      return values.reduce((rest, value) => rest.replaceAll(value, '***'), cut);
    },
  };
}
