// Reading the parts of a live object that health rules look at. Anything that is not as expected reads as absent; nothing is judged here.
import { isJsonObject, type JsonObject, type JsonValue } from '../model/json.ts';

/** A condition of `.status.conditions`. */
export interface LiveCondition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

/** `.spec`, empty when there is none. */
export function specOf(object: JsonObject): JsonObject {
  return objectAt(object, 'spec');
}

/** `.status`, empty when there is none. */
export function statusOf(object: JsonObject): JsonObject {
  return objectAt(object, 'status');
}

/** A member that is an object, or an empty one. */
export function objectAt(object: JsonObject, member: string): JsonObject {
  const value = object[member];
  return isJsonObject(value) ? value : {};
}

/** A member that is a list of objects, or an empty one. */
export function listAt(object: JsonObject, member: string): readonly JsonObject[] {
  const value: JsonValue | undefined = object[member];
  return Array.isArray(value) ? (value as readonly JsonValue[]).filter(isJsonObject) : [];
}

/** A member that is a number, or `absent`; Kubernetes leaves zeros out. */
export function numberAt(object: JsonObject, member: string, absent = 0): number {
  const value = object[member];
  return typeof value === 'number' ? value : absent;
}

/** A member that is text, or ''. */
export function textAt(object: JsonObject, member: string): string {
  const value = object[member];
  return typeof value === 'string' ? value : '';
}

/** The condition of a type, or undefined. */
export function tryFindCondition(object: JsonObject, type: string): LiveCondition | undefined {
  const found = listAt(statusOf(object), 'conditions').find((condition) => condition['type'] === type);
  return found && { type, status: textAt(found, 'status'), reason: textAt(found, 'reason'), message: textAt(found, 'message') };
}

/** True when the condition of a type has the status `True`. */
export function isTrue(object: JsonObject, type: string): boolean {
  return tryFindCondition(object, type)?.status === 'True';
}

/** A condition in words: its message, else its reason, else its type. */
export function conditionText(condition: LiveCondition): string {
  return condition.message || condition.reason || condition.type;
}
