// Which owned objects may differ from what was applied, by their metadata alone. The server judges: see confirm-drift.ts.
import { groupOf, type ObjectKey } from '../model/object-ref.ts';
import type { ObservedObject } from '../model/observed.ts';
import { isOlderVersion } from '../model/resource-version.ts';
import { judgeTrigger } from '../observe/judge-trigger.ts';
import type { ApplicationMemory } from './application-memory.ts';
import type { ObjectObserver } from './ports.ts';

/**
 * Takes note of what a watch shows of an owned object. True when it may have drifted.
 * An object that is being written now is judged when the answer is here: its own change is no drift.
 */
export function noticeObject(memory: ApplicationMemory, key: ObjectKey, object: ObservedObject | undefined): boolean {
  if (memory.inFlight.has(key)) {
    memory.noticed.add(key);
    return false;
  }
  return judge(memory, key, object);
}

/** Judges what changed while it was being written and no longer is. */
export function judgeNoticed(memory: ApplicationMemory, observer: ObjectObserver): void {
  for (const key of memory.noticed) {
    if (memory.inFlight.has(key)) continue;
    memory.noticed.delete(key);
    judge(memory, key, observer.get(key));
  }
}

/**
 * Judges everything owned: what happened while nobody watched. Inventories are read before objects, so an object that is older than what
 * was applied was restored from a backup.
 */
export function judgeAll(memory: ApplicationMemory, observer: ObjectObserver, silentGroups: ReadonlySet<string> = new Set()): void {
  for (const [key, { ref, baseline }] of memory.inventory ?? []) {
    if (silentGroups.has(groupOf(ref.apiVersion))) continue;
    const object = observer.get(key);
    const isRestored = baseline !== undefined && object !== undefined && isOlderVersion(object.resourceVersion, baseline.resourceVersion);
    if (isRestored && !memory.answered.has(key)) suspect(memory, key);
    else judge(memory, key, object);
  }
}

function judge(memory: ApplicationMemory, key: ObjectKey, object: ObservedObject | undefined): boolean {
  const answered = memory.answered.get(key);
  const baseline = answered?.baseline ?? memory.written.get(key) ?? memory.inventory?.get(key)?.baseline;
  if (answered !== undefined && object !== undefined && isOlderVersion(object.resourceVersion, answered.baseline.resourceVersion))
    return false;
  if (memory.answered.delete(key)) memory.health.touch(key);
  if (baseline === undefined || judgeTrigger(baseline, object) === 'same') return false;
  suspect(memory, key);
  return true;
}

function suspect(memory: ApplicationMemory, key: ObjectKey): void {
  memory.suspects.add(key);
  memory.hasNewSuspects = true;
}
