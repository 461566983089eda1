// A suspended Application: nothing is fetched or written; drift of what was accepted last is still shown.
import type { Outcome, SyncResult } from '../model/outcome.ts';
import { describeSuspension, type Suspension } from '../model/suspension.ts';
import { additionsAsDrift } from '../observe/judge-additions.ts';
import { confirmByDryRun } from './confirm-drift.ts';
import type { Look } from './look.ts';
import { outcomeOf } from './outcome-of.ts';
import { readObserved } from './read-observed.ts';
import { findUnwanted } from './strip-additions.ts';

/** The outcome of looking without acting. Throws OperatorError. */
export async function watchSuspended(look: Look, suspension: Suspension): Promise<Outcome> {
  const { memory, parts } = look;
  const result = suspendedResult(look, suspension);
  const suspects = [...memory.suspects].flatMap((key) => memory.accepted?.byKey.get(key) ?? []);
  if (suspects.length === 0) return outcomeOf(look, result);
  const entries = suspects.flatMap(({ key }) => memory.inventory?.get(key) ?? []);
  const observed = await readObserved(
    entries.map(({ ref }) => ref),
    entries,
    parts.observer,
  );
  const { drift } = await confirmByDryRun(look, suspects, observed);
  const added = [...findUnwanted(look, suspects, observed)].flatMap(([key, additions]) => {
    const ref = memory.inventory?.get(key)?.ref;
    return ref === undefined ? [] : additionsAsDrift(ref, additions, false, look.startedAt);
  });
  return outcomeOf(look, result, { drift: [...drift, ...added] });
}

/** The result of a look at what is to be left alone. */
export function suspendedResult({ application }: Look, suspension: Suspension): SyncResult {
  return { kind: 'suspended', cause: suspension.kind, message: describeSuspension(suspension, application) };
}
