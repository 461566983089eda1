// What others added to the objects of one Application, as the watches show it now. Undoing what is not tolerated is in strip-additions.ts.
import type { Inventory } from '../model/inventory.ts';
import { formatRef, type ObjectKey } from '../model/object-ref.ts';
import type { ExtraFields, ObservedObject } from '../model/observed.ts';
import { isOlderVersion } from '../model/resource-version.ts';
import { type Addition, findAdditions } from '../observe/find-additions.ts';
import { type JudgedAdditions, judgeAdditions, tellAdditions } from '../observe/judge-additions.ts';
import type { ApplicationMemory } from './application-memory.ts';
import type { Look } from './look.ts';

/** Fields of others that are left alone, sorted by object. */
export function extraFieldsOf(look: Look): readonly ExtraFields[] {
  const found: ExtraFields[] = [];
  for (const { ref, reported } of judgedObjects(look)) found.push(...tellAdditions(ref, reported));
  return found.sort((left, right) => (formatRef(left.ref) < formatRef(right.ref) ? -1 : 1));
}

/** Makes suspects of the objects that hold what is not tolerated, so that the next look undoes it. */
export function suspectUnwanted(look: Look): void {
  const { memory } = look;
  for (const { key, unwanted } of judgedObjects(look)) {
    if (unwanted.length === 0 || memory.suspects.has(key)) continue;
    memory.suspects.add(key);
    memory.hasNewSuspects = true;
  }
}

/** Whether what others added to an object is other than before: a reason to look, though nothing of ours changed. */
export function hasOtherAdditions(
  memory: ApplicationMemory,
  object: ObservedObject | undefined,
  previous: ObservedObject | undefined,
): boolean {
  if (object === undefined || previous === undefined) return false;
  const text = (additions: readonly Addition[]): string => additions.map(({ field, by }) => `${field} ${by.manager}`).join('\n');
  return text(additionsOf(memory, object)) !== text(additionsOf(memory, previous));
}

interface JudgedObject extends JudgedAdditions {
  readonly key: ObjectKey;
  readonly ref: ObservedObject['ref'];
}

function* judgedObjects(look: Look): Generator<JudgedObject> {
  const { application, memory, parts } = look;
  for (const [key, additions] of additionsIn(look)) {
    const entry = memory.inventory?.get(key);
    const object = parts.observer.get(key);
    if (entry === undefined || object === undefined || object.uid !== entry.uid) continue;
    // What the watch showed before our last write says nothing about what is there now.
    if (entry.baseline !== undefined && isOlderVersion(object.resourceVersion, entry.baseline.resourceVersion)) continue;
    const manifest = memory.accepted?.byKey.get(key);
    if (manifest !== undefined) yield { key, ref: entry.ref, ...judgeAdditions(additions, object, manifest.object, application.spec.sync) };
  }
}

/** The few owned objects that somebody added something to. */
export function additionsIn({ memory, parts }: Look): ReadonlyMap<ObjectKey, readonly Addition[]> {
  return memory.added.values(memory.inventory ?? nothing, (key) => {
    const object = parts.observer.get(key);
    const additions = object === undefined ? [] : additionsOf(memory, object);
    return additions.length === 0 ? undefined : additions;
  });
}

const nothing: Inventory = new Map();

/** Found once per observation: the watches hand out a new object whenever anything changed. */
function additionsOf({ additions }: ApplicationMemory, object: ObservedObject): readonly Addition[] {
  const known = additions.get(object);
  if (known !== undefined) return known;
  const found = findAdditions(object);
  additions.set(object, found);
  return found;
}
