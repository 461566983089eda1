// Objects of the same commit without which the server refuses another: its Namespace and its CustomResourceDefinition. Declared dependencies are on the Manifest.
import { isJsonObject } from '../model/json.ts';
import type { Manifest } from '../model/manifest.ts';
import { groupOf, keyOf, type ObjectKey } from '../model/object-ref.ts';

/** What each object needs to be accepted, by key; objects that need nothing of the same commit are left out. */
export function requiredObjects(desired: readonly Manifest[]): ReadonlyMap<ObjectKey, readonly ObjectKey[]> {
  const definitions = new Map(desired.flatMap((manifest) => definedKind(manifest).map((kind) => [kind, manifest.key] as const)));
  const keys = new Set(desired.map((manifest) => manifest.key));
  const required = new Map<ObjectKey, readonly ObjectKey[]>();
  for (const { key, ref } of desired) {
    const namespace = keyOf({ apiVersion: 'v1', kind: 'Namespace', namespace: '', name: ref.namespace });
    const definition = definitions.get(`${groupOf(ref.apiVersion)}|${ref.kind}`);
    const needs = [...(keys.has(namespace) ? [namespace] : []), ...(definition === undefined ? [] : [definition])];
    if (needs.length > 0) required.set(key, needs);
  }
  return required;
}

/** True for a CustomResourceDefinition, which must be established before objects of its kind are accepted. */
export function definesKind(manifest: Manifest): boolean {
  return manifest.ref.kind === 'CustomResourceDefinition' && groupOf(manifest.ref.apiVersion) === 'apiextensions.k8s.io';
}

function definedKind(manifest: Manifest): readonly string[] {
  const spec = definesKind(manifest) ? manifest.object['spec'] : undefined;
  const names = isJsonObject(spec) ? spec['names'] : undefined;
  return isJsonObject(spec) && isJsonObject(names) ? [`${spec['group']}|${names['kind']}`] : [];
}
