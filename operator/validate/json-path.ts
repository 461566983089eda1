// JSON paths as people read them: `.spec.containers[0].image`, `.metadata.labels["example.com/tier"]`.
import { isJsonObject, type JsonValue } from '../model/json.ts';

/** The path of a member of the object at `path`. */
export function memberPath(path: string, key: string): string {
  return /^[A-Za-z_$][\w$-]*$/.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`;
}

/** A JSON pointer into `root` as a path. */
export function pathOfPointer(pointer: string, root: JsonValue): string {
  let value: JsonValue | undefined = root;
  let path = '';
  for (const part of pointer.split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (Array.isArray(value)) {
      path += `[${key}]`;
      value = value[Number(key)];
    } else {
      path = memberPath(path, key);
      value = isJsonObject(value) ? value[key] : undefined;
    }
  }
  return path;
}
