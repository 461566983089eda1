// What every Kubernetes object has, whatever its kind: checked first, because all other rules build on it.
import { isJsonObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import type { Problem } from '../rule.ts';

/** Member names that change the meaning of an object in the programs that read it. */
const forbiddenKeys: ReadonlySet<string> = new Set(['__proto__', 'constructor']);
const maximumDepth = 200;

/** Problems that keep an object from being looked at further; empty when it has `apiVersion`, `kind` and `metadata.name`. */
export function checkObjectShape(object: JsonObject): readonly Problem[] {
  const key = findForbidden(object);
  if (key !== undefined) return [key];
  const problems = ['apiVersion', 'kind'].flatMap((field) => checkText(object[field], `.${field}`));
  const metadata = object['metadata'];
  if (!isJsonObject(metadata)) return [...problems, invalid('metadata is missing', '.metadata', 'give the object a metadata.name')];
  return [...problems, ...checkNaming(metadata)];
}

function checkNaming(metadata: JsonObject): readonly Problem[] {
  const namespace = metadata['namespace'];
  const namespaceProblems =
    namespace === undefined || namespace === null || namespace === '' ? [] : checkText(namespace, '.metadata.namespace');
  const name = metadata['name'];
  if ((name === undefined || name === '') && typeof metadata['generateName'] === 'string') {
    return [
      ...namespaceProblems,
      {
        code: 'GenerateName',
        message: 'generateName gives another name at every sync, so the object could never equal Git',
        field: '.metadata.generateName',
        hint: 'use metadata.name',
      },
    ];
  }
  return [...namespaceProblems, ...checkText(name, '.metadata.name')];
}

function checkText(value: JsonValue | undefined, field: string): readonly Problem[] {
  const name = field.slice(1);
  if (value === undefined || value === null) return [invalid(`${name} is missing`, field)];
  if (typeof value !== 'string') return [invalid(`${name} is not a string`, field)];
  return value === '' ? [invalid(`${name} is empty`, field)] : [];
}

/** The first forbidden member name, or a nesting no reader would follow. */
function findForbidden(object: JsonObject): Problem | undefined {
  const pending: { readonly value: JsonValue | undefined; readonly path: string; readonly depth: number }[] = [
    { value: object, path: '', depth: 0 },
  ];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { value, path, depth } = next;
    if (depth > maximumDepth) return invalid(`values are nested deeper than ${maximumDepth} levels`, shorten(path));
    if (Array.isArray(value)) {
      for (const [index, item] of (value as readonly JsonValue[]).entries())
        pending.push({ value: item, path: `${path}[${index}]`, depth: depth + 1 });
    } else if (isJsonObject(value)) {
      for (const key of Object.keys(value)) {
        if (forbiddenKeys.has(key)) return invalid(`the key "${key}" is not allowed`, shorten(`${path}.${key}`), 'rename the key');
        pending.push({ value: value[key], path: `${path}.${key}`, depth: depth + 1 });
      }
    }
  }
  return undefined;
}

function shorten(path: string): string {
  return path.length > 120 ? `${path.slice(0, 120)}…` : path;
}

function invalid(message: string, field: string, hint?: string): Problem {
  return { code: 'InvalidObject', message, field, ...(hint === undefined ? {} : { hint }) };
}
