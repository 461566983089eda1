// What our apply left behind, read from the server's answer: the measure that drift is judged against. Judging is in observe/.
import { isJsonObject, type JsonObject } from '../model/json.ts';
import type { Baseline } from '../model/observed.ts';
import { fieldsHash, ownEntry, parseManagedFields } from '../model/own-fields.ts';

/** The baseline of a live object as a server-side apply returned it. */
export function baselineOf(live: JsonObject): Baseline {
  const metadata = isJsonObject(live['metadata']) ? live['metadata'] : {};
  const { uid, resourceVersion, generation } = metadata;
  const own = ownEntry(parseManagedFields(metadata['managedFields']));
  return {
    uid: typeof uid === 'string' ? uid : '',
    resourceVersion: typeof resourceVersion === 'string' ? resourceVersion : '',
    ...(typeof generation === 'number' ? { generation } : {}),
    fieldsHash: fieldsHash(own),
    ...(own?.time === undefined ? {} : { time: own.time }),
  };
}
