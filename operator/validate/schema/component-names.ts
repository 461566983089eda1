// Names for OpenAPI components that say what they hold, so that equal components of different documents are compiled once and unequal ones never mixed up.
import { isJsonObject, type JsonObject, sha256 } from '../../model/json.ts';
import { referencesIn } from './to-json-schema.ts';

/** Answers about components; remembers what it computed per component object. */
export interface ComponentNames {
  /** The names of all components that a schema leads to. */
  reachable(schema: JsonObject, components: JsonObject): readonly string[];
  /** An id that two components share only when they and everything they lead to are equal. */
  idOf(name: string, components: JsonObject): string;
}

/** Names without any memory yet. */
export function createComponentNames(): ComponentNames {
  const references = new WeakMap<JsonObject, readonly string[]>();
  const digests = new WeakMap<JsonObject, string>();
  const ids = new WeakMap<JsonObject, Map<string, string>>();
  const referencesOf = (schema: JsonObject): readonly string[] => remember(references, schema, () => [...referencesIn(schema)]);
  const digestOf = (schema: JsonObject): string => remember(digests, schema, () => sha256(JSON.stringify(schema), 32));

  const reachable = (schema: JsonObject, components: JsonObject): readonly string[] => {
    const found = new Set<string>();
    const pending = [...referencesOf(schema)];
    for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
      if (found.has(name)) continue;
      found.add(name);
      const component = components[name];
      if (isJsonObject(component)) pending.push(...referencesOf(component));
    }
    return [...found].sort();
  };

  const idOf = (name: string, components: JsonObject): string => {
    const known = remember(ids, components, () => new Map<string, string>());
    const id = known.get(name);
    if (id !== undefined) return id;
    const component = components[name];
    const parts = isJsonObject(component) ? [name, ...reachable(component, components)] : [name];
    const digest = sha256(
      parts.map((part) => `${part} ${isJsonObject(components[part]) ? digestOf(components[part]) : ''}`).join('\n'),
      32,
    );
    const made = `k8s:${encodeURIComponent(name)}:${digest}`;
    known.set(name, made);
    return made;
  };
  return { reachable, idOf };
}

function remember<Value>(memory: WeakMap<JsonObject, Value>, key: JsonObject, compute: () => Value): Value {
  const known = memory.get(key);
  if (known !== undefined) return known;
  const value = compute();
  memory.set(key, value);
  return value;
}
