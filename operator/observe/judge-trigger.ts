// Whether an observed change may be drift. A trigger only: the server is the judge, by an apply that changes something or nothing.
import type { Baseline, ObservedObject } from '../model/observed.ts';
import { fieldsHash, ownEntry } from '../model/own-fields.ts';
import { isOlderVersion } from '../model/resource-version.ts';

/** `suspect`: ask the server. `gone`: left the watch; a GET tells whether only its label is gone. `replaced`: another object under the same name. */
export type Verdict = 'same' | 'suspect' | 'gone' | 'replaced';

/**
 * Compares a live object's metadata with what our last apply left behind.
 * Guarantees: a status update of a controller is no trigger for kinds that count generations; an observation older than our apply is none at all.
 */
export function judgeTrigger(baseline: Baseline, observed: ObservedObject | undefined): Verdict {
  if (observed === undefined) return 'gone';
  if (isOlderVersion(observed.resourceVersion, baseline.resourceVersion)) return 'same';
  if (observed.uid !== baseline.uid) return 'replaced';
  if (observed.resourceVersion === baseline.resourceVersion) return 'same';
  const own = ownEntry(observed.managedFields);
  // The hash, or the time of our entry: somebody may have applied in our name, or edited and restored.
  if (fieldsHash(own) !== baseline.fieldsHash || own?.time !== baseline.time) return 'suspect';
  if (observed.generation === undefined || baseline.generation === undefined) return 'suspect';
  return observed.generation === baseline.generation ? 'same' : 'suspect';
}
