// fieldsV1 as paths that people read. Format: sigs.k8s.io/structured-merge-diff, fieldpath/serialize.
import { isJsonObject, type JsonObject } from '../model/json.ts';

/** The leaves of a fieldsV1 set, such as `.spec.template.spec.containers[name="web"].image`, sorted. */
export function fieldPaths(fields: JsonObject | undefined): readonly string[] {
  const found: string[] = [];
  if (fields !== undefined) collect(fields, '', found);
  return found.sort();
}

function collect(fields: JsonObject, prefix: string, found: string[]): void {
  for (const [element, below] of Object.entries(fields)) {
    // '.' says that the list item or map itself is held, which its leaves say already.
    const path = element === '.' ? prefix : prefix + pathElement(element);
    const members = isJsonObject(below) ? Object.keys(below) : [];
    if (isJsonObject(below) && members.some((name) => name !== '.')) collect(below, path, found);
    else if (element !== '.' || Object.keys(fields).length === 1) found.push(path);
  }
}

function pathElement(element: string): string {
  const value = element.slice(2);
  switch (element.slice(0, 2)) {
    case 'f:':
      return /^[A-Za-z_][A-Za-z0-9_-]*$/.test(value) ? `.${value}` : `[${JSON.stringify(value)}]`;
    case 'k:':
      return `[${keyText(value)}]`;
    default:
      return `[${value}]`;
  }
}

/** `{"containerPort":80,"protocol":"TCP"}` → `containerPort=80,protocol="TCP"`. */
function keyText(value: string): string {
  let parsed: unknown;
  try {
    parsed = JSON.parse(value);
  } catch {
    return value;
  }
  if (!isJsonObject(parsed)) return value;
  return Object.entries(parsed)
    .map(([name, part]) => `${name}=${JSON.stringify(part)}`)
    .join(',');
}
