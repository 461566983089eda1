// The ClusterReader of a kubeconfig: the caller's own credentials, reads only. Commands see the interface, not this.
import { apiVersion } from '../../constructs/annotations.ts';
import { statusOf } from '../cluster/api-error.ts';
import { connectionFromKubeconfig } from '../cluster/connection.ts';
import { createDiscovery } from '../cluster/discovery.ts';
import { createRestClient, type RestClient } from '../cluster/rest-client.ts';
import { OperatorError } from '../model/error.ts';
import type { JsonObject } from '../model/json.ts';
import { absentObject } from './absent-object.ts';
import type { ApplicationObject, ClusterReader, EventObject, OpenCluster, Watched } from './cluster-reader.ts';
import { lastSeen } from './events.ts';
import { readInventories } from './read-inventories.ts';
import { itemsOf, watchObjects } from './watch-objects.ts';

/** Opens clusters; `defaultKubeconfigs` are used when no --kubeconfig is given, merged as kubectl does. */
export function clusterOpener(defaultKubeconfigs: readonly string[]): OpenCluster {
  return async (choice, signal) => {
    const connection = await connectionFromKubeconfig(choice.kubeconfig ?? defaultKubeconfigs, choice.context);
    const client = createRestClient({ connection, userAgent: 'setpoint-cli' });
    return { ...readerOf(client, signal), namespace: connection.namespace ?? 'default', close: () => client.close() };
  };
}

function readerOf(client: RestClient, ended: AbortSignal): Omit<ClusterReader, 'namespace' | 'close'> {
  const get = (path: string, doing: string, query: Readonly<Record<string, string>> = {}): Promise<JsonObject> =>
    client.request({ method: 'GET', path, query, doing, signal: ended });
  return {
    async applications(namespace) {
      const doing = `list Applications${namespace === undefined ? '' : ` in ${namespace}`}`;
      const answer = await get(applicationPath(namespace, ''), doing).catch((error: unknown) => {
        throw statusOf(error) === 404 ? notInstalled(doing, error) : error;
      });
      return itemsOf(answer).map(toApplication);
    },
    async application(namespace, name) {
      try {
        return toApplication(await get(applicationPath(namespace, name), `read Application ${namespace}/${name}`));
      } catch (error) {
        if (statusOf(error) === 404) return undefined;
        throw error;
      }
    },
    watchApplication: (namespace, name, signal) =>
      map(
        watchObjects(
          client,
          { path: applicationPath(namespace, ''), fieldSelector: `metadata.name=${name}`, doing: `watch Application ${namespace}/${name}` },
          signal,
        ),
        toApplication,
      ),
    inventories: (namespace) => readInventories(client, namespace, ended),
    async absent(selector, namespace) {
      try {
        const { byKind, failedGroups } = await createDiscovery(client).served();
        const read = (path: string) => get(path, `read ${selector.kind} ${selector.name}`);
        const absence = await absentObject(byKind.values(), selector, namespace, read);
        // The kind may be one of those whose server is silent now.
        return absence?.kind === 'kind' && failedGroups.size > 0 ? undefined : absence;
      } catch {
        return undefined;
      }
    },
    async events(namespace, name) {
      const answer = await get(eventsPath(namespace), `list Events of Application ${namespace}/${name}`, {
        fieldSelector: aboutApplication(name),
      });
      return itemsOf(answer).map(toEvent).sort(compareEvents);
    },
    watchEvents: (namespace, name, signal) =>
      map(
        watchObjects(
          client,
          {
            path: eventsPath(namespace),
            fieldSelector: aboutApplication(name),
            compare: (left, right) => compareEvents(toEvent(left), toEvent(right)),
            doing: `watch Events of Application ${namespace}/${name}`,
          },
          signal,
        ),
        toEvent,
      ),
  };
}

/** Oldest first. */
function compareEvents(left: EventObject, right: EventObject): number {
  return Date.parse(lastSeen(left) ?? '') - Date.parse(lastSeen(right) ?? '') || 0;
}

function notInstalled(doing: string, cause: unknown): OperatorError {
  return new OperatorError(`${doing}: this cluster does not know the kind Application`, {
    code: 'InvalidConfiguration',
    stage: 'cluster',
    fate: 'terminal',
    hint: 'install Setpoint with: setpoint install',
    cause,
  });
}

/** Path of one Application, or of a list when the name is ''. */
function applicationPath(namespace: string | undefined, name: string): string {
  const within = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  return `/apis/${apiVersion}${within}/applications${name === '' ? '' : `/${encodeURIComponent(name)}`}`;
}

function eventsPath(namespace: string): string {
  return `/api/v1/namespaces/${encodeURIComponent(namespace)}/events`;
}

function aboutApplication(name: string): string {
  return `involvedObject.kind=Application,involvedObject.name=${name}`;
}

// Admission has checked Applications against the schema that these types are derived from; items of a list carry no kind of their own.
function toApplication(object: JsonObject): ApplicationObject {
  return { ...object, apiVersion, kind: 'Application' } as unknown as ApplicationObject;
}

function toEvent(object: JsonObject): EventObject {
  return { ...object, apiVersion: 'v1', kind: 'Event' } as unknown as EventObject;
}

async function* map<Item>(
  watched: AsyncIterable<Watched<JsonObject>>,
  convert: (object: JsonObject) => Item,
): AsyncIterable<Watched<Item>> {
  for await (const { type, object } of watched) yield { type, object: convert(object) };
}
