// What `plan` and `diff` need of a cluster: the same reads the operator plans from, and dry runs. Nothing is written.
import { apiVersion, fieldManager, trackingLabel } from '../../constructs/annotations.ts';
import { statusOf } from '../cluster/api-error.ts';
import { parseApplication } from '../cluster/applications.ts';
import { actAsCaller, mayImpersonate } from '../cluster/caller-client.ts';
import { createCatalogLoader } from '../cluster/catalog.ts';
import { type ClusterConnection, connectionFromKubeconfig } from '../cluster/connection.ts';
import { createDiscovery, type Discovery, pathOf } from '../cluster/discovery.ts';
import { createObjectWriter } from '../cluster/objects.ts';
import { observedFrom } from '../cluster/observed-object.ts';
import { createRestClient, type OperatorClient } from '../cluster/rest-client.ts';
import { createSecretReader } from '../cluster/secrets.ts';
import type { Application } from '../model/application.ts';
import { type TenantIdentity, tenantIdentity } from '../model/identity.ts';
import type { Inventory } from '../model/inventory.ts';
import { isJsonObject, type JsonObject } from '../model/json.ts';
import type { KubeObject } from '../model/manifest.ts';
import { formatRef, type KindRef, keyOf, type ObjectKey, type ObjectRef } from '../model/object-ref.ts';
import type { ObservedObject } from '../model/observed.ts';
import type { SchemaCatalog } from '../validate/ports.ts';
import { applicationMissing, type ClusterChoice, namespacesOf } from './cluster-reader.ts';
import { inLanes } from './in-lanes.ts';
import type { MemberOperation } from './preview-object.ts';
import { readInventories } from './read-inventories.ts';
import { itemsOf } from './watch-objects.ts';

/** Values of a Secret, or undefined when there is none. */
type ReadSecret = (identity: TenantIdentity, name: string) => Promise<Readonly<Record<string, Uint8Array>> | undefined>;

/** Reads and dry runs of users' objects as one identity. Throws OperatorError. */
export interface PreviewIdentity {
  /** `ServiceAccount shop/setpoint-applier`, or `you`. */
  readonly name: string;
  /** The live object; undefined when absent. */
  read(ref: ObjectRef): Promise<JsonObject | undefined>;
  /** What the object would be after an apply; without force, fields of other managers are an `ApplyConflict`. */
  dryRun(object: KubeObject, force: boolean): Promise<JsonObject>;
  /** What the live object would be after a JSON patch. */
  dryRunPatch(ref: ObjectRef, operations: readonly MemberOperation[]): Promise<JsonObject>;
  readonly secrets: { readonly read: ReadSecret };
}

/** A cluster to look at before a sync. */
export interface PreviewCluster {
  readonly connection: ClusterConnection;
  /** Namespace of the context; `default` when it names none. */
  readonly namespace: string;
  application(namespace: string, name: string): Promise<Application>;
  inventory(application: Application): Promise<Inventory>;
  catalog(kinds: readonly KindRef[]): Promise<SchemaCatalog>;
  /** Metadata of a live object as the caller may see it; undefined when absent or of a kind that the cluster does not serve. */
  observe(ref: ObjectRef): Promise<ObservedObject | undefined>;
  /** The same of many, by one list per kind and namespace where that is cheaper: of objects with this value of the tracking label. */
  observeAll(refs: readonly ObjectRef[], label: string): Promise<ReadonlyMap<ObjectKey, ObservedObject>>;
  /** Who looks at the objects of an Application: its ServiceAccount when the caller may impersonate it, and otherwise the caller. */
  identityFor(application: Application): Promise<PreviewIdentity>;
  /** The caller. */
  readonly caller: PreviewIdentity;
  close(): Promise<void>;
}

/** Opens the cluster of a kubeconfig; `defaultKubeconfigs` are used when none is chosen. */
export async function openPreviewCluster(
  choice: ClusterChoice,
  defaultKubeconfigs: readonly string[],
  signal: AbortSignal,
): Promise<PreviewCluster> {
  const connection = await connectionFromKubeconfig(choice.kubeconfig ?? defaultKubeconfigs, choice.context);
  const client = createRestClient({ connection, userAgent: 'setpoint-cli' });
  const discovery = createDiscovery(client);
  const catalogs = createCatalogLoader(client, discovery);
  const actingAs = (acting: OperatorClient, identity: TenantIdentity, name: string): PreviewIdentity => {
    const writer = createObjectWriter(acting, discovery);
    return {
      name,
      read: (ref) => writer.read(identity, ref, signal),
      dryRun: (object, force) => writer.apply(identity, object, { dryRun: true, force }, signal),
      dryRunPatch: (ref, operations) => writer.patch(identity, ref, operations, signal, { dryRun: true }),
      secrets: createSecretReader(acting),
    };
  };
  // Who acts as itself needs no identity; the value only fills the place that impersonation would use.
  const caller = actingAs(actAsCaller(client), tenantIdentity('default', fieldManager), 'you');
  return {
    connection,
    namespace: connection.namespace ?? 'default',
    caller,
    async application(namespace, name) {
      const path = `/apis/${apiVersion}/namespaces/${encodeURIComponent(namespace)}/applications/${encodeURIComponent(name)}`;
      try {
        return parseApplication(await client.request({ method: 'GET', path, doing: `read Application ${namespace}/${name}`, signal }));
      } catch (error) {
        if (statusOf(error) !== 404) throw error;
        const everywhere = `/apis/${apiVersion}/applications`;
        const list = async () => itemsOf(await client.request({ method: 'GET', path: everywhere, doing: 'list Applications', signal }));
        throw applicationMissing(namespace, name, await namespacesOf(name, list));
      }
    },
    async inventory({ namespace, name }) {
      const found = (await readInventories(client, namespace, signal)).find(({ application }) => application === name);
      return found?.inventory ?? new Map();
    },
    catalog: (kinds) => catalogs.load(kinds),
    observe: (ref) => observeOne({ client, discovery, signal }, ref),
    async observeAll(refs, label) {
      const asking = { client, discovery, signal };
      const found = new Map<ObjectKey, ObservedObject>();
      const groups = [...Map.groupBy(refs, ({ apiVersion: version, kind, namespace }) => `${version}|${kind}|${namespace}`).values()];
      await inLanes(
        groups.filter(({ length }) => length >= worthAList),
        async ([first]) => {
          for (const object of first === undefined ? [] : await observeLabelled(asking, first, label)) found.set(object.key, object);
        },
      );
      const wanted = new Set(refs.map(keyOf));
      for (const key of found.keys()) if (!wanted.has(key)) found.delete(key);
      await inLanes(
        refs.filter((ref) => !found.has(keyOf(ref))),
        async (ref) => {
          const object = await observeOne(asking, ref);
          if (object !== undefined) found.set(object.key, object);
        },
      );
      return found;
    },
    async identityFor(application) {
      const identity = tenantIdentity(application.namespace, application.spec.serviceAccountName);
      if (!(await mayImpersonate(client, identity, signal))) return caller;
      return actingAs(client, identity, `ServiceAccount ${identity.namespace}/${identity.serviceAccount}`);
    },
    close: () => client.close(),
  };
}

interface Asking {
  readonly client: OperatorClient;
  readonly discovery: Discovery;
  readonly signal: AbortSignal;
}

/** So many objects of one kind and namespace are listed rather than asked for one by one. */
const worthAList = 8;
const pageSize = 500;

async function observeOne({ client, discovery, signal }: Asking, ref: ObjectRef): Promise<ObservedObject | undefined> {
  const kind = (await discovery.served()).byKind.get(`${ref.apiVersion}|${ref.kind}`);
  if (kind === undefined) return undefined;
  const accept = 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json';
  try {
    const answer = await client.request({ method: 'GET', path: pathOf(kind, ref), accept, doing: `look at ${formatRef(ref)}`, signal });
    return observedFrom(ref, answer);
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw error;
  }
}

/** Labelled objects of the kind and namespace of `like`; none when the caller may not list them: then each is asked for. */
async function observeLabelled({ client, discovery, signal }: Asking, like: ObjectRef, label: string): Promise<readonly ObservedObject[]> {
  const kind = (await discovery.served()).byKind.get(`${like.apiVersion}|${like.kind}`);
  if (kind === undefined) return [];
  const path = pathOf(kind, { namespace: like.namespace, name: '' });
  const accept = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json';
  const found: ObservedObject[] = [];
  let token = '';
  try {
    do {
      const query = { labelSelector: `${trackingLabel}=${label}`, limit: String(pageSize), ...(token === '' ? {} : { continue: token }) };
      const page = await client.request({ method: 'GET', path, accept, query, doing: `list ${kind.plural} in ${like.namespace}`, signal });
      found.push(...itemsOf(page).map((item) => observedFrom(like, item)));
      token = String((isJsonObject(page['metadata']) ? page['metadata']['continue'] : undefined) ?? '');
    } while (token !== '');
  } catch (error) {
    if (statusOf(error) === 403) return [];
    throw error;
  }
  return found;
}
