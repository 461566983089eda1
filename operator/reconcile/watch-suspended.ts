// A suspended Application: nothing is fetched or written; drift of what was accepted last is still shown.
import type { Outcome } from '../model/outcome.ts';
import { additionsAsDrift } from '../observe/judge-additions.ts';
import { confirmByDryRun } from './confirm-drift.ts';
import type { Look } from './look.ts';
import { outcomeOf } from './outcome-of.ts';
import { readObserved } from './read-observed.ts';
import { findUnwanted } from './strip-additions.ts';

/** The outcome of looking without acting. Throws OperatorError. */
export async function watchSuspended(look: Look): Promise<Outcome> {
  const { memory, parts } = look;
  const suspects = [...memory.suspects].flatMap((key) => memory.accepted?.byKey.get(key) ?? []);
  if (suspects.length === 0) return outcomeOf(look, { kind: 'suspended' });
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
  return outcomeOf(look, { kind: 'suspended' }, { drift: [...drift, ...added] });
}
