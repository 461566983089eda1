// Taking over objects that exist already: whose they were, and how that is told. Rewriting their ownership is apply/'s matter.

import { formatRef, type ObjectRef } from './object-ref.ts';
import type { ManagedFields } from './observed.ts';
import { isOwnEntry } from './own-fields.ts';

/** One object that was taken over. */
export interface Adoption {
  readonly ref: ObjectRef;
  /** Field managers that had it before, sorted. */
  readonly from: readonly string[];
}

/**
 * Field managers of tools that declare whole objects: an object taken over from one of them is ours from then on, so what Git does not
 * declare of their fields goes. What any other manager holds is left to it.
 */
export const declaringManagers: ReadonlySet<string> = new Set([
  'kubectl-client-side-apply',
  'kubectl-create',
  'kubectl-replace',
  'kubectl-last-applied',
  'kubectl',
  'before-first-apply',
  'helm',
  'argocd-controller',
  'kustomize-controller',
]);

/** The field managers an object would be taken over from: all but ourselves and the control plane's own. */
export function managersBefore(managedFields: readonly ManagedFields[]): readonly string[] {
  const others = managedFields.filter(
    (entry) => !isOwnEntry(entry) && entry.subresource === undefined && !entry.manager.startsWith('kube-'),
  );
  return [...new Set(others.map(({ manager }) => manager))].sort();
}

const named = 5;

/** `2 objects that existed already: ConfigMap shop/a, Deployment shop/web; taken over from helm` */
export function formatAdoptions(adopted: readonly Adoption[]): string {
  const names = adopted.slice(0, named).map(({ ref }) => formatRef(ref));
  const more = adopted.length > named ? ` and ${adopted.length - named} more` : '';
  const managers = [...new Set(adopted.flatMap(({ from }) => from))].sort();
  const from = managers.length === 0 ? '' : `; taken over from ${managers.join(', ')}`;
  return `${adopted.length === 1 ? '1 object' : `${adopted.length} objects`} that existed already: ${names.join(', ')}${more}${from}`;
}
