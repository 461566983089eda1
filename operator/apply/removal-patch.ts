// A JSON patch (RFC 6902) that removes fields from a live object as it was read, and nothing else. Which fields is decided in observe/.
import { type FieldPath, namesItem } from '../model/field-set.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../model/json.ts';
import type { PatchOperation } from './ports.ts';

/** Operations that remove these fields where they are there, on condition that the object still is the one that was read. */
export function removalPatch(live: JsonObject, paths: readonly FieldPath[]): readonly PatchOperation[] {
  const pointers = paths.flatMap((path) => pointerTo(live, path) ?? []).sort(comparePointers);
  const outermost = pointers.filter((pointer, index) => !pointers.slice(0, index).some((other) => `${pointer}/`.startsWith(`${other}/`)));
  if (outermost.length === 0) return [];
  const metadata = isJsonObject(live['metadata']) ? live['metadata'] : {};
  // Later items of a list first, so that what is removed does not move the others.
  const removals = outermost.reverse().map((path): PatchOperation => ({ op: 'remove', path }));
  return [{ op: 'replace', path: '/metadata/resourceVersion', value: metadata['resourceVersion'] ?? '' }, ...removals];
}

function pointerTo(live: JsonObject, path: FieldPath): string | undefined {
  let value: JsonValue | undefined = live;
  let pointer = '';
  for (const element of path) {
    let token: string | number;
    if (Array.isArray(value)) {
      const items = value as readonly JsonValue[];
      token = element.startsWith('i:') ? Number(element.slice(2)) : items.findIndex((item) => namesItem(element, item));
      value = items[token];
    } else {
      token = element.slice(2);
      value = isJsonObject(value) ? value[token] : undefined;
    }
    if (value === undefined) return undefined;
    pointer += `/${String(token).replaceAll('~', '~0').replaceAll('/', '~1')}`;
  }
  return pointer;
}

function comparePointers(left: string, right: string): number {
  return left.localeCompare(right, 'en', { numeric: true });
}
