// Applications as the API server stores them: watched, their status written, our finalizer set. What a status says is decided in status/.
import { apiVersion, applicationFinalizer } from '../../constructs/annotations.ts';
import { type Application, type ApplicationSpec, type ApplicationStatus, applicationKey } from '../model/application.ts';
import { OperatorError } from '../model/error.ts';
import type { ApplicationKey, EmitEvent } from '../model/event.ts';
import { canonicalJson, isJsonObject, type JsonObject, type JsonValue } from '../model/json.ts';
import { isOlderVersion } from '../model/resource-version.ts';
import type { ApplicationStore } from '../reconcile/ports.ts';
import { refusalOf, statusOf } from './api-error.ts';
import { type Reflector, startReflector } from './reflector.ts';
import type { RestClient } from './rest-client.ts';

/** What an ApplicationStore works with. */
export interface ApplicationStoreOptions {
  readonly client: RestClient;
  readonly emit: EmitEvent;
  /** Namespaces whose Applications are served; empty: all. */
  readonly namespaces: readonly string[];
}

/** The status we wrote last, which the watch may not have brought back yet. */
interface WrittenStatus {
  readonly uid: string;
  readonly resourceVersion: string;
  readonly text: string;
}

/** The Applications of one cluster. */
export function createApplicationStore(options: ApplicationStoreOptions): ApplicationStore {
  const { client } = options;
  const stored = new Map<ApplicationKey, Application>();
  const written = new Map<ApplicationKey, WrittenStatus>();
  const rewindListeners = new Set<() => void>();
  const rewound = (): void => {
    written.clear();
    for (const listener of rewindListeners) listener();
  };
  return {
    async start(onChange, signal) {
      const reflectors = startWatching(options, signal, rewound, (key, application) => {
        const before = stored.get(key);
        if (application === undefined) {
          stored.delete(key);
          written.delete(key);
        } else stored.set(key, application);
        if (asksForWork(before, application)) onChange(key);
      });
      await Promise.all(reflectors.map((reflector) => reflector.listed));
    },
    onRewound: (listener) => void rewindListeners.add(listener),
    get: (key) => stored.get(key),
    exists: async (key) => stored.has(key) || (await existsInCluster(client, key)),
    list: () => [...stored.values()].sort((left, right) => (applicationKey(left) < applicationKey(right) ? -1 : 1)),
    async writeStatus(application, status) {
      const key = applicationKey(application);
      const text = canonicalJson(status as JsonValue);
      if (text === knownStatus(stored.get(key), written.get(key), application)) return;
      const answer = await putStatus(client, application, status);
      if (answer !== undefined) written.set(key, { uid: application.uid, resourceVersion: answer, text });
    },
    async setFinalizer(application, present) {
      await changeFinalizer(client, application, present);
    },
  };
}

async function existsInCluster(client: RestClient, key: ApplicationKey): Promise<boolean> {
  const [namespace = '', name = ''] = key.split('/');
  try {
    await client.request({
      method: 'GET',
      path: `${collectionPath(namespace)}/${encodeURIComponent(name)}`,
      doing: `look for Application ${key}`,
    });
    return true;
  } catch (error) {
    if (statusOf(error) === 404) return false;
    throw error;
  }
}

function startWatching(
  { client, emit, namespaces }: ApplicationStoreOptions,
  signal: AbortSignal,
  onRewound: () => void,
  onChange: (key: ApplicationKey, application: Application | undefined) => void,
): readonly Reflector<Application>[] {
  return (namespaces.length === 0 ? [''] : namespaces).map((namespace) =>
    startReflector(
      client,
      {
        path: collectionPath(namespace),
        metadataOnly: false,
        doing: `watch Applications${namespace === '' ? '' : ` in ${namespace}`}`,
        reduce: parseApplication,
      },
      { onChange, onRewound, onFailure: (error) => emit({ type: 'failure', error }) },
      signal,
    ),
  );
}

/** Status writes are our own and ask for nothing. */
function asksForWork(before: Application | undefined, after: Application | undefined): boolean {
  if (before === undefined || after === undefined) return true;
  const asked = ({ uid, generation, annotations, finalizers, deletionTimestamp }: Application): string =>
    canonicalJson({ uid, generation, annotations, finalizers, deletionTimestamp });
  return asked(before) !== asked(after);
}

function knownStatus(current: Application | undefined, last: WrittenStatus | undefined, application: Application): string | undefined {
  if (current?.uid !== application.uid) return undefined;
  if (last?.uid === current.uid && isOlderVersion(current.resourceVersion, last.resourceVersion)) return last.text;
  return current.status === undefined ? undefined : canonicalJson(current.status as JsonValue);
}

/** Replaces the status of this very object; undefined when it is gone. */
async function putStatus(client: RestClient, application: Application, status: ApplicationStatus): Promise<string | undefined> {
  try {
    const answer = await client.request({
      method: 'PATCH',
      path: `${objectPath(application)}/status`,
      contentType: 'application/json-patch+json',
      body: [
        { op: 'test', path: '/metadata/uid', value: application.uid },
        { op: 'add', path: '/status', value: status as JsonValue },
      ],
      doing: `write the status of Application ${applicationKey(application)}`,
    });
    return parseApplication(answer).resourceVersion;
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

const tries = 5;

/** Reads, changes and writes with a precondition until nobody came between. */
async function changeFinalizer(client: RestClient, application: Application, present: boolean): Promise<void> {
  const doing = `${present ? 'add' : 'remove'} the finalizer of Application ${applicationKey(application)}`;
  const path = objectPath(application);
  let current: Application | undefined = application;
  for (let left = tries; current?.uid === application.uid; left -= 1) {
    const others = current.finalizers.filter((name) => name !== applicationFinalizer);
    if (present === others.length < current.finalizers.length) return;
    const { uid, resourceVersion } = current;
    const body = { metadata: { uid, resourceVersion, finalizers: present ? [...others, applicationFinalizer] : others } };
    try {
      await client.request({ method: 'PATCH', path, contentType: 'application/merge-patch+json', body, doing });
      return;
    } catch (error) {
      if (isGone(error)) return;
      if (statusOf(error) !== 409 || left <= 1) throw error;
    }
    current = await tryRead(client, path, doing);
  }
}

async function tryRead(client: RestClient, path: string, doing: string): Promise<Application | undefined> {
  try {
    return parseApplication(await client.request({ method: 'GET', path, doing }));
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** Absent, or another object under the same name (the patch's test of the UID failed). */
function isGone(error: unknown): boolean {
  return (
    statusOf(error) === 404 ||
    (statusOf(error) === 422 && /rejected our request due to an error in our request/.test(refusalOf(error)?.message ?? ''))
  );
}

/** A stored Application as the operator sees it. Throws OperatorError when it lacks what admission guarantees. */
export function parseApplication(object: JsonObject): Application {
  const metadata = isJsonObject(object['metadata']) ? object['metadata'] : {};
  const { namespace, name, uid, resourceVersion, generation, deletionTimestamp } = metadata;
  const isComplete = [namespace, name, uid, resourceVersion].every((value) => typeof value === 'string') && isJsonObject(object['spec']);
  if (!isComplete)
    throw new OperatorError(`read Application ${String(namespace)}/${String(name)}: it is incomplete`, {
      code: 'Internal',
      stage: 'cluster',
      fate: 'terminal',
    });
  return {
    namespace: String(namespace),
    name: String(name),
    uid: String(uid),
    resourceVersion: String(resourceVersion),
    generation: typeof generation === 'number' ? generation : 0,
    annotations: textMap(metadata['annotations']),
    finalizers: Array.isArray(metadata['finalizers']) ? metadata['finalizers'].map(String) : [],
    ...(typeof deletionTimestamp === 'string' ? { deletionTimestamp } : {}),
    // Admission has checked both against the schema that these types are derived from.
    spec: object['spec'] as unknown as ApplicationSpec,
    ...(isJsonObject(object['status']) ? { status: object['status'] as unknown as ApplicationStatus } : {}),
  };
}

function textMap(value: JsonValue | undefined): Readonly<Record<string, string>> {
  return isJsonObject(value) ? (value as Readonly<Record<string, string>>) : {};
}

function collectionPath(namespace: string): string {
  return `/apis/${apiVersion}${namespace === '' ? '' : `/namespaces/${encodeURIComponent(namespace)}`}/applications`;
}

function objectPath(application: { readonly namespace: string; readonly name: string }): string {
  return `${collectionPath(application.namespace)}/${encodeURIComponent(application.name)}`;
}
