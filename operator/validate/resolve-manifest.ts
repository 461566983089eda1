// Makes a checked object ready for apply: its namespace, our marks, and nothing in it that is the server's to say.
import { trackingAnnotation, trackingLabel, trackingLabelValue } from '../../constructs/annotations.ts';
import { isJsonObject, type JsonObject } from '../model/json.ts';
import { digestOf, type KubeObject, type Manifest } from '../model/manifest.ts';
import { keyOf, type ObjectRef } from '../model/object-ref.ts';

/** What a manifest is made of besides its origin and its place among others. */
export type ResolvedObject = Pick<Manifest, 'ref' | 'key' | 'object' | 'digest'>;

/** Members of `metadata` that only the server writes; they come along when a live object is exported into the repo. */
const serverOwned: ReadonlySet<string> = new Set([
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'generation',
  'managedFields',
  'resourceVersion',
  'selfLink',
  'uid',
]);

/**
 * The object as it will be applied. `ref` holds the namespace that applies ('' for a cluster-scoped kind, whatever the object says).
 * Only the object's own metadata is marked: pod templates stay as written, so that joining Setpoint restarts nothing.
 */
export function resolveManifest(
  object: JsonObject,
  ref: ObjectRef,
  application: { readonly namespace: string; readonly name: string },
): ResolvedObject {
  const { status: _, metadata: declared, apiVersion: __, kind: ___, ...content } = object;
  const metadata = isJsonObject(declared) ? declared : {};
  const { name: ____, namespace: _____, labels, annotations, ...others } = metadata;
  const resolved: KubeObject = {
    apiVersion: ref.apiVersion,
    kind: ref.kind,
    metadata: {
      name: ref.name,
      ...(ref.namespace === '' ? {} : { namespace: ref.namespace }),
      labels: { ...texts(labels), [trackingLabel]: trackingLabelValue(application) },
      annotations: { ...texts(annotations), [trackingAnnotation]: `${application.namespace}/${application.name}` },
      ...Object.fromEntries(Object.entries(others).filter(([member]) => !serverOwned.has(member))),
    },
    ...(ref.apiVersion === 'v1' && ref.kind === 'Secret' ? withoutStringData(content) : content),
  };
  return { ref, key: keyOf(ref), object: resolved, digest: digestOf(resolved) };
}

/** `stringData` is write-only: the server owns up to `data` alone, so a declared `stringData` could drift unseen. */
function withoutStringData(secret: JsonObject): JsonObject {
  const { stringData, ...content } = secret;
  if (!isJsonObject(stringData)) return content;
  const folded = Object.entries(stringData).map(([key, value]) => [
    key,
    Buffer.from(typeof value === 'string' ? value : '').toString('base64'),
  ]);
  return { ...content, data: { ...texts(content['data']), ...Object.fromEntries(folded) } };
}

function texts(value: unknown): Readonly<Record<string, string>> {
  return isJsonObject(value) ? (value as Readonly<Record<string, string>>) : {};
}
