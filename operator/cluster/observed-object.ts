// Raw objects → what is kept of them: metadata of every kind, and for kinds with a status what health needs. Pure.
import { isJsonObject, type JsonObject, type JsonValue } from '../model/json.ts';
import { type KindRef, keyOf } from '../model/object-ref.ts';
import type { ObservedObject } from '../model/observed.ts';
import { parseManagedFields } from '../model/own-fields.ts';

/** Metadata of a live object of a kind. PartialObjectMetadata does not say its own kind, so the caller does. */
export function observedFrom(kind: KindRef, object: JsonObject): ObservedObject {
  const metadata = isJsonObject(object['metadata']) ? object['metadata'] : {};
  const ref = { apiVersion: kind.apiVersion, kind: kind.kind, namespace: textOf(metadata['namespace']), name: textOf(metadata['name']) };
  const { generation, deletionTimestamp } = metadata;
  return {
    ref,
    key: keyOf(ref),
    uid: textOf(metadata['uid']),
    resourceVersion: textOf(metadata['resourceVersion']),
    ...(typeof generation === 'number' ? { generation } : {}),
    labels: textMap(metadata['labels']),
    annotations: textMap(metadata['annotations']),
    finalizers: listOf(metadata['finalizers']).map(textOf),
    ownerUids: listOf(metadata['ownerReferences'])
      .filter(isJsonObject)
      .map((owner) => textOf(owner['uid'])),
    ...(typeof deletionTimestamp === 'string' ? { deletionTimestamp } : {}),
    managedFields: parseManagedFields(metadata['managedFields']),
  };
}

/** Members of `spec` that health rules read, of any kind. Values of users (environment, commands, volumes) are never kept. */
const specMembers = [
  'replicas',
  'paused',
  'suspend',
  'strategy',
  'updateStrategy',
  'minReadySeconds',
  'progressDeadlineSeconds',
  'podManagementPolicy',
  'completions',
  'parallelism',
  'backoffLimit',
  'restartPolicy',
  'type',
  'externalName',
  'clusterIP',
  'volumeName',
  'minReplicas',
  'maxReplicas',
  'minAvailable',
  'maxUnavailable',
  'names',
  'group',
  'schedule',
  'nodeName',
  'ttlSecondsAfterFinished',
  'storageClassName',
  'ingressClassName',
] as const;

/** An object as health reads it: identity, generation, the switches of its spec and its whole status. */
export function statusFrom(kind: KindRef, object: JsonObject): JsonObject {
  const metadata = isJsonObject(object['metadata']) ? object['metadata'] : {};
  const { name, namespace, uid, generation, creationTimestamp, deletionTimestamp, annotations, labels, finalizers } = metadata;
  const spec = isJsonObject(object['spec']) ? object['spec'] : undefined;
  return {
    apiVersion: kind.apiVersion,
    kind: kind.kind,
    metadata: { name, namespace, uid, generation, creationTimestamp, deletionTimestamp, annotations, labels, finalizers },
    ...(spec === undefined
      ? {}
      : { spec: Object.fromEntries(specMembers.filter((key) => spec[key] !== undefined).map((key) => [key, spec[key]])) }),
    ...(object['status'] === undefined ? {} : { status: object['status'] }),
  };
}

function listOf(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? (value as readonly JsonValue[]) : [];
}

function textMap(value: JsonValue | undefined): Readonly<Record<string, string>> {
  return isJsonObject(value) ? (value as Readonly<Record<string, string>>) : {};
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}
