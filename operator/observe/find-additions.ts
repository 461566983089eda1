// Fields that others added to an object of ours, from managedFields alone: exact paths, no values. What is done about them is decided in judge-additions.ts.
import { type FieldPath, formatFieldPath, isWhole } from '../model/field-set.ts';
import { isJsonObject, type JsonObject } from '../model/json.ts';
import type { ManagedFields, ObservedObject } from '../model/observed.ts';
import { isOwnEntry, ownEntry } from '../model/own-fields.ts';

/** One field, or one item of a list, that somebody else holds and we do not. */
export interface Addition {
  readonly path: FieldPath;
  /** `.spec.template.spec.containers[name="web"].env[name="DEBUG"]`. */
  readonly field: string;
  readonly by: ManagedFields;
  /** The map or list above it that we hold as a whole: when it was declared empty, the addition makes it differ from Git. */
  readonly insideOurs?: FieldPath;
  /** Why it is nothing to tell: the cluster's own controllers write it in the course of their work. */
  readonly routine: boolean;
}

/**
 * What others added to a live object.
 * Guarantees: a field that we hold, alone or together with others, is no addition; nothing that a status subresource wrote is one. Without
 * an entry of ours nothing is known to be an addition.
 */
export function findAdditions({ managedFields }: Pick<ObservedObject, 'managedFields'>): readonly Addition[] {
  const own = ownEntry(managedFields)?.fieldsV1;
  if (own === undefined) return [];
  const found = managedFields
    .filter((entry) => !isOwnEntry(entry) && entry.subresource !== 'status')
    .flatMap((by) => {
      const paths: Found[] = [];
      collect(by.fieldsV1 ?? {}, own, [], undefined, paths);
      return paths.map(({ path, insideOurs }): Addition => {
        const inside = insideOurs === undefined ? {} : { insideOurs };
        return { path, field: formatFieldPath(path), by, ...inside, routine: isRoutine(by, path) };
      });
    });
  return found.sort((left, right) => (left.field < right.field ? -1 : left.field > right.field ? 1 : 0));
}

interface Found {
  readonly path: FieldPath;
  readonly insideOurs: FieldPath | undefined;
}

/** An item of a list that is not ours is told as one; of maps, each member. */
function collect(theirs: JsonObject, own: JsonObject | undefined, prefix: FieldPath, inside: FieldPath | undefined, found: Found[]): void {
  for (const [element, value] of Object.entries(theirs)) {
    if (element === '.') continue;
    const path = [...prefix, element];
    const members = isJsonObject(value) && Object.keys(value).some((name) => name !== '.') ? value : undefined;
    const ours = own?.[element];
    const held = isJsonObject(ours) ? ours : undefined;
    if (held === undefined) {
      if (members === undefined || !element.startsWith('f:')) found.push({ path, insideOurs: inside });
      else collect(members, undefined, path, inside, found);
    } else if (members !== undefined) {
      collect(members, held, path, isWhole(held) ? path : inside, found);
    }
  }
}

/** Programs of the control plane, by the names under which they, or distributions that bundle them, write. */
const controlPlane: ReadonlySet<string> = new Set([
  'cloud-controller-manager',
  'k0s',
  'k3s',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-proxy',
  'kube-scheduler',
  'kubelet',
  'kubelite',
  'rke2',
]);

const routineAnnotations: ReadonlySet<string> = new Set([
  'f:kubectl.kubernetes.io/last-applied-configuration',
  'f:kubectl.kubernetes.io/restartedAt',
]);

function isRoutine(by: ManagedFields, path: FieldPath): boolean {
  return (
    controlPlane.has(by.manager) || isBookkeeping(path) || (path.includes('f:annotations') && routineAnnotations.has(path.at(-1) ?? ''))
  );
}

/** Finalizers and owner references: whoever sets one takes it away again. */
export function isBookkeeping(path: FieldPath): boolean {
  return path[0] === 'f:metadata' && (path[1] === 'f:finalizers' || path[1] === 'f:ownerReferences');
}
