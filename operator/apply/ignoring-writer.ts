// Applies objects with the live values of the fields that others decide. What is applied of an object is decided in keep-live.ts.
import { OperatorError } from '../model/error.ts';
import { type IgnoreRule, rulesFor } from '../model/ignore-rules.ts';
import { isJsonObject, type JsonObject } from '../model/json.ts';
import { keepLive } from './keep-live.ts';
import type { ObjectWriter } from './ports.ts';

/** How often an object is read again because it changed between read and apply. */
const attempts = 8;

/**
 * A writer that heeds rules about ignored fields.
 * Guarantees: objects that no rule means cost no further request; no ignored field is ever set to a value it had at another time than the
 * write's, for the apply names the resource version that was read.
 */
export function createIgnoringWriter(writer: ObjectWriter, rules: readonly IgnoreRule[] | undefined): ObjectWriter {
  if (rules === undefined || rules.length === 0) return writer;
  return {
    ...writer,
    async apply(identity, object, options, signal) {
      const { apiVersion, kind, metadata } = object;
      const ref = { apiVersion, kind, namespace: metadata.namespace ?? '', name: metadata.name };
      const heeded = rulesFor(rules, ref);
      if (heeded.length === 0) return writer.apply(identity, object, options, signal);
      for (let attempt = 1; ; attempt += 1) {
        const live = await writer.read(identity, ref, signal);
        if (live === undefined) return writer.apply(identity, object, options, signal);
        const resourceVersion = options.resourceVersion ?? versionOf(live);
        try {
          return await writer.apply(identity, keepLive(object, live, heeded), { ...options, resourceVersion }, signal);
        } catch (error) {
          if (attempt === attempts || options.resourceVersion !== undefined || !hasChanged(error)) throw error;
        }
      }
    },
  };
}

/** The object is another than was read. A conflict over fields is final until somebody lets go. */
function hasChanged(error: unknown): boolean {
  return error instanceof OperatorError && error.code === 'ApplyConflict' && error.fate === 'transient';
}

function versionOf(live: JsonObject): string {
  const metadata = isJsonObject(live['metadata']) ? live['metadata'] : {};
  return typeof metadata['resourceVersion'] === 'string' ? metadata['resourceVersion'] : '';
}
