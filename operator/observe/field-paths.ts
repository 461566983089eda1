// fieldsV1 as paths that people read, such as `.spec.template.spec.containers[name="web"].image`.
import { formatFieldPath, leavesOf } from '../model/field-set.ts';
import type { JsonObject } from '../model/json.ts';

/** The leaves of a fieldsV1 set, sorted. */
export function fieldPaths(fields: JsonObject | undefined): readonly string[] {
  return leavesOf(fields).map(formatFieldPath).sort();
}

/** Whether a path leads to something inside another. */
export function isBelow(path: string, ancestor: string): boolean {
  return path.startsWith(ancestor) && /^[.[]/.test(path.slice(ancestor.length));
}
