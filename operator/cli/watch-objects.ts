// Objects of one list now and after each change, over the API server's watch. Starts again by itself; stops with the signal.
import { setTimeout as pause } from 'node:timers/promises';
import type { RestClient } from '../cluster/rest-client.ts';
import { OperatorError } from '../model/error.ts';
import { isJsonObject, type JsonObject } from '../model/json.ts';
import type { Watched } from './cluster-reader.ts';

/** Between the end of one watch and the next list. */
const retryMilliseconds = 500;

/** A list to watch. */
export interface WatchedList {
  readonly path: string;
  readonly fieldSelector: string;
  /** Order of the objects there are when the watch begins. @default that of the server */
  readonly compare?: (left: JsonObject, right: JsonObject) => number;
  /** `watch Application shop/web`: begins the text of an error. */
  readonly doing: string;
}

/** Every object of the list as it is, then every change. After a lost connection the whole list comes again. */
export async function* watchObjects(client: RestClient, list: WatchedList, signal: AbortSignal): AsyncIterable<Watched<JsonObject>> {
  while (!signal.aborted) {
    const { path, fieldSelector, doing } = list;
    try {
      const answer = await client.request({ method: 'GET', path, query: { fieldSelector }, doing, signal });
      const present = [...itemsOf(answer)];
      if (list.compare !== undefined) present.sort(list.compare);
      for (const object of present) yield { type: 'present', object };
      const metadata = isJsonObject(answer['metadata']) ? answer['metadata'] : {};
      const query = { fieldSelector, watch: '1', resourceVersion: String(metadata['resourceVersion'] ?? '') };
      yield* changes(await client.stream({ method: 'GET', path, query, doing, signal }));
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof OperatorError && error.fate === 'terminal') throw error;
    }
    await pause(retryMilliseconds, undefined, { signal }).catch(() => undefined);
  }
}

/** The items of a list. */
export function itemsOf(answer: JsonObject): readonly JsonObject[] {
  return Array.isArray(answer['items']) ? (answer['items'] as readonly JsonObject[]) : [];
}

async function* changes(stream: AsyncIterable<Uint8Array>): AsyncIterable<Watched<JsonObject>> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const bytes of stream) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const event: unknown = JSON.parse(line);
      if (!isJsonObject(event) || !isJsonObject(event['object']) || event['type'] === 'ERROR') return;
      if (event['type'] !== 'BOOKMARK') yield { type: event['type'] === 'DELETED' ? 'deleted' : 'present', object: event['object'] };
    }
  }
}
