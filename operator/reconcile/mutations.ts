// Objects of which admission makes something else than Git declares: told once each, and shown as a finding while it is so.
import type { WrittenObject } from '../apply/apply-plan.ts';
import type { ApplicationStatus } from '../model/application.ts';
import type { Finding } from '../model/finding.ts';
import { rulesFor } from '../model/ignore-rules.ts';
import { positionOf } from '../model/manifest.ts';
import { keyOf, type ObjectKey } from '../model/object-ref.ts';
import { findMutations } from '../observe/find-mutations.ts';
import type { ApplicationMemory } from './application-memory.ts';
import type { Look } from './look.ts';

const code = 'MutatedByAdmission';

/** Takes note of what the server answered to our writes. */
export function noteMutations({ application, memory, parts }: Look, written: readonly WrittenObject[]): void {
  for (const { change, live } of written) {
    const finding = mutationOf(change, live, application.spec.sync.ignoreDifferences);
    const told = memory.mutated.get(change.key);
    if (finding === undefined) {
      memory.mutated.delete(change.key);
      continue;
    }
    memory.mutated.set(change.key, finding);
    if (told?.message !== finding.message) parts.emit({ type: 'mutated-by-admission', application: memory.key, finding });
  }
}

function mutationOf(
  { manifest, ref }: WrittenObject['change'],
  live: WrittenObject['live'],
  ignored: Parameters<typeof rulesFor>[0],
): Finding | undefined {
  const fields = findMutations(manifest.object, live, rulesFor(ignored, ref));
  const [field] = fields;
  if (field === undefined) return undefined;
  const position = positionOf(manifest.origin);
  const most = 8;
  const more = fields.length > most ? ` and ${fields.length - most} more` : '';
  return {
    code,
    severity: 'warning',
    message: `admission made something else of ${fields.slice(0, most).join(', ')}${more} than Git declares`,
    hint: 'declare what the mutating webhook or policy makes of it, exempt the object there, or list the field under sync.ignoreDifferences',
    object: ref,
    field,
    constructPath: manifest.origin.constructPath,
    ...(position === undefined ? {} : { position }),
  };
}

/** Findings of a look, with what is known of admission now. */
export function withMutations(memory: ApplicationMemory, findings: readonly Finding[]): readonly Finding[] {
  const mutated = [...memory.mutated]
    .filter(([key]) => memory.inventory?.has(key) === true)
    .sort(([left], [right]) => (left < right ? -1 : 1));
  return [...findings.filter((finding) => finding.code !== code), ...mutated.map(([, finding]) => finding)];
}

/** What a status still says about admission: after a restart nothing is applied that would tell it anew. */
export function mutationsIn(status: ApplicationStatus | undefined): Map<ObjectKey, Finding> {
  const known = new Map<ObjectKey, Finding>();
  for (const { object, file, line, column, code: told, severity, ...about } of status?.findings?.items ?? []) {
    if (told !== code || object === undefined) continue;
    const ref = { namespace: '', ...object };
    const position = file === undefined ? {} : { position: { file, line: line ?? 1, column: column ?? 1 } };
    known.set(keyOf(ref), { code, severity, ...about, object: ref, ...position });
  }
  return known;
}
