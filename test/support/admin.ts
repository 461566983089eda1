// Raw JSON requests as cluster-admin: what a test uses to look at the cluster independently of the product's own client.
import { type ApiClient, ApiRefusal, type ApiRequest } from '../../dev/control-plane/api-client.ts';

export interface KubernetesObject {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    uid?: string;
    resourceVersion?: string;
    generation?: number;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    finalizers?: string[];
    deletionTimestamp?: string;
    managedFields?: { manager: string; operation: string; subresource?: string; time?: string; fieldsV1: Record<string, unknown> }[];
    ownerReferences?: { apiVersion: string; kind: string; name: string; uid: string }[];
    [field: string]: unknown;
  };
  // biome-ignore lint/suspicious/noExplicitAny: tests reach into objects of every kind
  [field: string]: any;
}

export interface Ref {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}

export interface ApplyOptions {
  /** @default 'test' */
  readonly fieldManager?: string;
  /** @default true */
  readonly force?: boolean;
  readonly dryRun?: boolean;
}

export interface PatchOptions {
  /** @default 'merge' */
  readonly type?: 'merge' | 'strategic' | 'json';
  /** @default 'test' */
  readonly fieldManager?: string;
  readonly subresource?: string;
}

export interface ListOptions {
  readonly namespace?: string;
  readonly labelSelector?: string;
}

export interface Admin {
  get(ref: Ref): Promise<KubernetesObject>;
  /** Undefined when the object, or its kind, does not exist. */
  tryGet(ref: Ref): Promise<KubernetesObject | undefined>;
  list(apiVersion: string, kind: string, options?: ListOptions): Promise<KubernetesObject[]>;
  create(object: object, options?: { readonly fieldManager?: string }): Promise<KubernetesObject>;
  /** Server-side apply. */
  apply(object: object, options?: ApplyOptions): Promise<KubernetesObject>;
  patch(ref: Ref, patch: unknown, options?: PatchOptions): Promise<KubernetesObject>;
  /** Starts the deletion; absent is fine. */
  delete(
    ref: Ref,
    options?: { readonly propagationPolicy?: 'Foreground' | 'Background' | 'Orphan'; readonly gracePeriodSeconds?: number },
  ): Promise<void>;
  /** Any other request. @throws {ApiRefusal} for 400 and above. */
  raw(path: string, request?: ApiRequest): Promise<KubernetesObject>;
}

const PATCH_TYPES = {
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  json: 'application/json-patch+json',
};

export function adminOf(client: ApiClient): Admin {
  const pathOf = resourcePaths(client);
  const raw = (path: string, request?: ApiRequest): Promise<KubernetesObject> => client.json<KubernetesObject>(path, request);
  const get = async (ref: Ref): Promise<KubernetesObject> => raw(await pathOf(ref));
  return {
    raw,
    get,
    tryGet: (ref) => get(ref).catch(undefinedWhenAbsent),
    async list(apiVersion, kind, { namespace, labelSelector } = {}) {
      const query = labelSelector ? `?labelSelector=${encodeURIComponent(labelSelector)}` : '';
      const { items } = await raw((await pathOf({ apiVersion, kind, ...(namespace ? { namespace } : {}) })) + query);
      return (items as KubernetesObject[]).map((item) => ({ ...item, apiVersion, kind }));
    },
    async create(object, { fieldManager = 'test' } = {}) {
      const { apiVersion, kind, metadata } = object as KubernetesObject;
      const { namespace } = metadata;
      return raw(`${await pathOf({ apiVersion, kind, ...(namespace ? { namespace } : {}) })}?fieldManager=${fieldManager}`, {
        method: 'POST',
        body: object,
      });
    },
    async apply(object, { fieldManager = 'test', force = true, dryRun = false } = {}) {
      const query = `?fieldManager=${fieldManager}&force=${force}${dryRun ? '&dryRun=All' : ''}`;
      return raw((await pathOf(refOf(object))) + query, {
        method: 'PATCH',
        body: object,
        headers: { 'content-type': 'application/apply-patch+yaml' },
      });
    },
    async patch(ref, patch, { type = 'merge', fieldManager = 'test', subresource } = {}) {
      const path = (await pathOf(ref)) + (subresource ? `/${subresource}` : '');
      return raw(`${path}?fieldManager=${fieldManager}`, { method: 'PATCH', body: patch, headers: { 'content-type': PATCH_TYPES[type] } });
    },
    async delete(ref, options = {}) {
      const body = { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy: 'Background', ...options };
      await raw(await pathOf(ref), { method: 'DELETE', body }).catch(undefinedWhenAbsent);
    },
  };
}

export function refOf(object: object): Ref {
  const { apiVersion, kind, metadata } = object as KubernetesObject;
  return { apiVersion, kind, name: metadata.name, ...(metadata.namespace ? { namespace: metadata.namespace } : {}) };
}

interface ResourceList {
  resources: { name: string; kind: string; namespaced: boolean }[];
}

/** Paths by discovery; asked again for a kind not seen yet, which may have come with a CRD. */
function resourcePaths(client: ApiClient) {
  const known = new Map<string, { name: string; namespaced: boolean }>();
  return async ({ apiVersion, kind, name, namespace }: Omit<Ref, 'name'> & { readonly name?: string }): Promise<string> => {
    const base = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const key = `${apiVersion} ${kind}`;
    if (!known.has(key)) {
      const { resources } = await client.json<ResourceList>(base);
      for (const resource of resources) if (!resource.name.includes('/')) known.set(`${apiVersion} ${resource.kind}`, resource);
    }
    const resource = known.get(key);
    if (!resource)
      throw new ApiRefusal(`find ${key}`, { status: 404, headers: {}, text: JSON.stringify({ message: 'the server has no such kind' }) });
    const within = resource.namespaced && namespace ? `/namespaces/${namespace}` : '';
    return `${base}${within}/${resource.name}${name ? `/${name}` : ''}`;
  };
}

function undefinedWhenAbsent(error: unknown): undefined {
  if (error instanceof ApiRefusal && error.status === 404) return undefined;
  throw error;
}
