// Kinds that neither the cluster nor the commit knows, and what was probably meant.
import type { KindRef } from '../../model/object-ref.ts';
import { groupOf, versionOf } from '../../model/object-ref.ts';
import { tryFindClosestName } from '../closest-name.ts';
import type { KindInfo, SchemaCatalog } from '../ports.ts';
import type { Problem } from '../rule.ts';

/** The problem of a kind that is not in the catalogue; a group that could not be asked is said to be so, never its kinds to be unknown. */
export function explainUnknownKind(kind: KindRef, catalog: SchemaCatalog): Problem {
  const group = groupOf(kind.apiVersion);
  if (catalog.failedGroups.has(group)) {
    const message = `the API group ${group} does not answer, so ${kind.kind} cannot be checked`;
    return {
      code: 'GroupUnavailable',
      message,
      field: '.apiVersion',
      hint: 'look at the APIService of the group; the sync goes on when it answers',
    };
  }
  const kinds = catalog.kinds();
  const served = kinds.filter((known) => known.kind === kind.kind && groupOf(known.apiVersion) === group);
  if (served.length > 0) {
    const message = `${kind.kind} is not served in version ${versionOf(kind.apiVersion)}`;
    return { code: 'UnknownKind', message, field: '.apiVersion', hint: `served: ${list(served)}` };
  }
  const message = `the cluster does not know the kind ${kind.kind} of ${kind.apiVersion}`;
  return { code: 'UnknownKind', message, field: '.kind', hint: suggestion(kind, kinds) };
}

function suggestion(kind: KindRef, kinds: readonly KindInfo[]): string {
  const elsewhere = kinds.filter((known) => known.kind === kind.kind);
  if (elsewhere.length > 0) return `did you mean ${list(elsewhere)}?`;
  const sameGroup = kinds.filter((known) => groupOf(known.apiVersion) === groupOf(kind.apiVersion));
  for (const candidates of [sameGroup, kinds]) {
    const closest = tryFindClosestName(
      kind.kind,
      candidates.map((known) => known.kind),
    );
    if (closest !== undefined) return `did you mean ${closest} (${list(candidates.filter((known) => known.kind === closest))})?`;
  }
  return 'install its CustomResourceDefinition in the cluster or declare it in the same commit';
}

function list(kinds: readonly KindInfo[]): string {
  return [...new Set(kinds.map((known) => known.apiVersion))].sort().join(', ');
}
