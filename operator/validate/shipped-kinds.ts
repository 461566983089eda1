// Kinds that a commit brings along: its CustomResourceDefinitions, laid over the cluster's catalogue. What the cluster serves is cluster/'s matter.
import { isJsonObject, type JsonObject, type JsonValue } from '../model/json.ts';
import { groupOf } from '../model/object-ref.ts';
import type { KindInfo, KindSchema, SchemaCatalog } from './ports.ts';

interface ShippedKind {
  readonly info: KindInfo;
  readonly schema: KindSchema | undefined;
}

/** One CustomResourceDefinition of the commit and the digest of its text. */
export interface ShippedDefinition {
  readonly object: JsonObject;
  readonly digest: string;
}

/** The served versions of the kind a CustomResourceDefinition declares; those parts that are not as they should be are left to its own findings. */
export function shippedKinds({ object, digest }: ShippedDefinition): readonly ShippedKind[] {
  const spec = isJsonObject(object['spec']) ? object['spec'] : {};
  const names = isJsonObject(spec['names']) ? spec['names'] : {};
  const { group, scope, versions } = spec;
  const { kind, plural } = names;
  if (typeof group !== 'string' || typeof kind !== 'string' || typeof plural !== 'string' || !Array.isArray(versions)) return [];
  return (versions as readonly JsonValue[]).flatMap((version) => {
    if (!isJsonObject(version) || typeof version['name'] !== 'string' || version['served'] === false) return [];
    const info = { apiVersion: `${group}/${version['name']}`, kind, plural, namespaced: scope !== 'Cluster' };
    return [{ info, schema: schemaOf(version, `${digest}/${version['name']}`) }];
  });
}

/** The cluster's catalogue with the commit's kinds in place of the cluster's of the same group and kind. */
export function withShippedKinds(catalog: SchemaCatalog, shipped: readonly ShippedKind[]): SchemaCatalog {
  if (shipped.length === 0) return catalog;
  const byVersion = new Map(shipped.map((kind) => [`${kind.info.apiVersion}|${kind.info.kind}`, kind]));
  const replaced = new Set(shipped.map(({ info }) => `${groupOf(info.apiVersion)}|${info.kind}`));
  const isReplaced = (apiVersion: string, kind: string): boolean => replaced.has(`${groupOf(apiVersion)}|${kind}`);
  return {
    kind: (apiVersion, kind) =>
      isReplaced(apiVersion, kind) ? byVersion.get(`${apiVersion}|${kind}`)?.info : catalog.kind(apiVersion, kind),
    schema: (apiVersion, kind) =>
      isReplaced(apiVersion, kind) ? byVersion.get(`${apiVersion}|${kind}`)?.schema : catalog.schema(apiVersion, kind),
    kinds: () => [...catalog.kinds().filter((known) => !isReplaced(known.apiVersion, known.kind)), ...shipped.map(({ info }) => info)],
    failedGroups: catalog.failedGroups,
  };
}

function schemaOf(version: JsonObject, id: string): KindSchema | undefined {
  const declared = isJsonObject(version['schema']) ? version['schema']['openAPIV3Schema'] : undefined;
  if (!isJsonObject(declared)) return undefined;
  const properties = isJsonObject(declared['properties']) ? declared['properties'] : {};
  const type: JsonObject = { type: 'string' };
  const schema: JsonObject = { ...declared, properties: { ...properties, apiVersion: type, kind: type, metadata: objectMetadata } };
  return { schema, components: {}, version: `shipped ${id}` };
}

const texts: JsonObject = { type: 'object', additionalProperties: { type: 'string' } };
const text: JsonObject = { type: 'string' };
const free: JsonObject = { 'x-kubernetes-preserve-unknown-fields': true };

/** `metadata` of any object (meta/v1 ObjectMeta); a definition does not repeat it. */
const objectMetadata: JsonObject = {
  type: 'object',
  properties: {
    ...{ name: text, namespace: text, generateName: text, labels: texts, annotations: texts },
    ...{ finalizers: { type: 'array', items: text }, ownerReferences: { type: 'array', items: { type: 'object', ...free } } },
    ...{ uid: text, resourceVersion: text, selfLink: text, creationTimestamp: text, deletionTimestamp: text },
    ...{ generation: { type: 'integer' }, deletionGracePeriodSeconds: { type: 'integer' }, managedFields: free },
  },
};
