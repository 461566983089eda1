// Names of Kubernetes objects: references, keys and their printed form. No live or desired content.

/** A kind within an API version, e.g. `apps/v1` and `Deployment`. */
export interface KindRef {
  readonly apiVersion: string;
  readonly kind: string;
}

/** A reference to one object. `namespace` is '' for cluster-scoped objects. */
export interface ObjectRef extends KindRef {
  readonly namespace: string;
  readonly name: string;
}

/** Identity of an object whatever version it is written in: `group|kind|namespace|name`. */
export type ObjectKey = string & { readonly __objectKey?: never };

/** The API group of an `apiVersion`: '' for the core group. */
export function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf('/');
  return slash < 0 ? '' : apiVersion.slice(0, slash);
}

/** The version of an `apiVersion`: `v1` of `apps/v1`. */
export function versionOf(apiVersion: string): string {
  return apiVersion.slice(apiVersion.indexOf('/') + 1);
}

/** The version-independent key of an object. */
export function keyOf(ref: ObjectRef): ObjectKey {
  return `${groupOf(ref.apiVersion)}|${ref.kind}|${ref.namespace}|${ref.name}`;
}

/** What people read: `Deployment shop/web`, `Namespace shop`. */
export function formatRef(ref: ObjectRef): string {
  return `${ref.kind} ${ref.namespace === '' ? '' : `${ref.namespace}/`}${ref.name}`;
}

/** Orders references by group, kind, namespace and name. */
export function compareRefs(left: ObjectRef, right: ObjectRef): number {
  const a = keyOf(left);
  const b = keyOf(right);
  return a < b ? -1 : a > b ? 1 : 0;
}

/** ` (and 2 more objects)` behind the first of several; '' when it is the only one. */
export function moreObjects(total: number): string {
  return total > 1 ? ` (and ${total - 1} more ${total === 2 ? 'object' : 'objects'})` : '';
}
