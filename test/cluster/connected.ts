// The product's own cluster client for tests, straight to the API server or through the recording proxy, and identities with rights.
import { join } from 'node:path';
import { afterAll } from '@jest/globals';
import { applicationCrd, inventoryCrd } from '../../constructs/crds.ts';
import { type ApiProxy, startApiProxy } from '../../dev/api-proxy.ts';
import type { ObjectWriter } from '../../operator/apply/ports.ts';
import { connectionFromKubeconfig } from '../../operator/cluster/connection.ts';
import { createDiscovery, type Discovery } from '../../operator/cluster/discovery.ts';
import { createObjectWriter } from '../../operator/cluster/objects.ts';
import { createRestClient, type OperatorClient } from '../../operator/cluster/rest-client.ts';
import type { OperatorEvent } from '../../operator/model/event.ts';
import { type TenantIdentity, tenantIdentity } from '../../operator/model/identity.ts';
import { admin, eventually, kubeconfigPath, scratchDirectory, uniqueName } from '../support/cluster.ts';

const closing: (() => Promise<void>)[] = [];

afterAll(async () => {
  for (const close of closing.reverse()) await close();
});

export interface Connected {
  readonly client: OperatorClient;
  readonly discovery: Discovery;
  readonly writer: ObjectWriter;
  readonly events: OperatorEvent[];
}

/** A client with the rights of a kubeconfig, the admin's unless another is given. */
export async function connect(kubeconfig = kubeconfigPath()): Promise<Connected> {
  const events: OperatorEvent[] = [];
  const client = createRestClient({ connection: await connectionFromKubeconfig(kubeconfig), emit: (event) => void events.push(event) });
  closing.push(() => client.close());
  const discovery = createDiscovery(client);
  return { client, discovery, writer: createObjectWriter(client, discovery), events };
}

/** A client whose requests pass a proxy that records and spoils them. */
export async function connectThroughProxy(): Promise<Connected & { readonly proxy: ApiProxy }> {
  const proxy = await startApiProxy({ kubeconfigPath: kubeconfigPath() });
  closing.push(() => proxy.close());
  const path = join(scratchDirectory(), `${uniqueName('proxied')}.kubeconfig`);
  proxy.writeKubeconfig(kubeconfigPath(), path);
  return { ...(await connect(path)), proxy };
}

/** The identity of an Application in a namespace, bound to a ClusterRole there. */
export async function tenantWith(namespace: string, clusterRole = 'admin', name = 'setpoint-applier'): Promise<TenantIdentity> {
  await admin().apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } });
  await admin().apply({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: `${name}-${clusterRole}`, namespace },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: clusterRole },
    subjects: [{ kind: 'ServiceAccount', name, namespace }],
  });
  const identity = tenantIdentity(namespace, name);
  await eventually(async () => {
    const review = await admin().raw('/apis/authorization.k8s.io/v1/subjectaccessreviews', {
      method: 'POST',
      body: {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SubjectAccessReview',
        spec: { user: identity.user, resourceAttributes: { namespace, verb: 'get', resource: 'configmaps' } },
      },
    });
    if (review['status'].allowed !== true) throw new Error('the binding is not in effect yet');
  });
  return identity;
}

/** Setpoint's own kinds, served. */
export async function installKinds(): Promise<void> {
  for (const crd of [applicationCrd(), inventoryCrd()]) await admin().apply(crd);
  for (const kind of ['Application', 'Inventory']) await eventually(() => admin().list('setpoint.dev/v1alpha1', kind));
}

export const never = new AbortController().signal;

/** A ConfigMap as desired. */
export function configMap(namespace: string, name: string, data: Readonly<Record<string, string>> = { key: 'value' }) {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data };
}
