// Objects of the same commit without which the server refuses another: its Namespace and its CustomResourceDefinition. Declared dependencies are on the Manifest.
import { isJsonObject } from '../model/json.ts';
import type { Manifest } from '../model/manifest.ts';
import { groupOf, keyOf, type ObjectKey } from '../model/object-ref.ts';

/** Tells what an object needs of the same commit to be accepted. */
export function requiredObjects(desired: readonly Manifest[]): (manifest: Manifest) => readonly ObjectKey[] {
  const definitions = new Map(desired.flatMap((manifest) => definedKind(manifest).map((kind) => [kind, manifest.key] as const)));
  const namespaces = new Map(desired.filter(isNamespace).map((manifest) => [manifest.ref.name, manifest.key]));
  if (definitions.size === 0 && namespaces.size === 0) return () => [];
  return ({ ref }) => {
    const namespace = ref.namespace === '' ? undefined : namespaces.get(ref.namespace);
    const definition = definitions.size === 0 ? undefined : definitions.get(`${groupOf(ref.apiVersion)}|${ref.kind}`);
    return [namespace, definition].filter((key) => key !== undefined);
  };
}

/** True for a CustomResourceDefinition, which must be established before objects of its kind are accepted. */
export function definesKind(manifest: Manifest): boolean {
  return manifest.ref.kind === 'CustomResourceDefinition' && groupOf(manifest.ref.apiVersion) === 'apiextensions.k8s.io';
}

function isNamespace({ ref, key }: Manifest): boolean {
  return ref.kind === 'Namespace' && key === keyOf({ apiVersion: 'v1', kind: 'Namespace', namespace: '', name: ref.name });
}

function definedKind(manifest: Manifest): readonly string[] {
  const spec = definesKind(manifest) ? manifest.object['spec'] : undefined;
  const names = isJsonObject(spec) ? spec['names'] : undefined;
  return isJsonObject(spec) && isJsonObject(names) ? [`${spec['group']}|${names['kind']}`] : [];
}
