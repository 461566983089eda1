// Two operators that share a Lease, each behind a proxy of its own that tells which requests are whose, and an Application they both could serve.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { installManifests } from '../../charts/install.ts';
import { operatorName, systemNamespace } from '../../charts/names.ts';
import { type ApiProxy, type ProxiedRequest, startApiProxy } from '../../dev/api-proxy.ts';
import {
  admin,
  eventually,
  type KubernetesObject,
  kubeconfigPath,
  scratchDirectory,
  testNamespace,
  uniqueName,
} from '../support/cluster.ts';
import { installOperator, type RunningOperator, startOperator } from '../support/operator.ts';

/** An operator and its view of the API server. */
export interface Replica {
  readonly operator: RunningOperator;
  readonly proxy: ApiProxy;
  /** What it began to send that is no read; dry runs count too. */
  writes(): string[];
}

/** Where elections of one test take place. */
export interface Election {
  readonly leaseNamespace: string;
  /** Starts an operator that serves a namespace and takes part. It is ready, as leader or standby. */
  start(namespace: string): Promise<Replica>;
  lease(): Promise<KubernetesObject>;
  /** Ends all operators of the test at once, frozen ones too. */
  close(): Promise<void>;
}

/** Short, but not so short that a machine that is slow for a moment ends an election. */
const shortTimes = ['--leader-elect-lease-duration=9s', '--leader-elect-renew-deadline=6s', '--leader-elect-retry-period=500ms'];

/** The key that signs webhook calls of every operator here. */
export const webhookSecret = 'a key that all know';

/** A namespace with a Lease as the install brings it, and the operator's rights on that Lease. */
export async function openElection(): Promise<Election> {
  const leaseNamespace = await testNamespace('lease');
  const account = await installOperator();
  for (const object of leaseObjects(leaseNamespace)) await admin().apply(object);
  const secretFile = join(scratchDirectory(), uniqueName('webhook-secret'));
  writeFileSync(secretFile, webhookSecret);
  const replicas: Replica[] = [];
  return {
    leaseNamespace,
    async start(namespace) {
      const proxy = await startApiProxy({ kubeconfigPath: kubeconfigPath() });
      const kubeconfig = join(scratchDirectory(), `${uniqueName('replica')}.kubeconfig`);
      proxy.writeKubeconfig(account, kubeconfig);
      const election = [
        '--leader-elect',
        `--leader-elect-resource-namespace=${leaseNamespace}`,
        `--webhook-secret-file=${secretFile}`,
        ...shortTimes,
      ];
      const operator = await startOperator({ namespaces: [namespace], kubeconfig, flags: election });
      const replica = { operator, proxy, writes: () => proxy.requests.filter(isWrite).map(({ method, path }) => `${method} ${path}`) };
      replicas.push(replica);
      return replica;
    },
    lease: () => admin().get({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace: leaseNamespace, name: operatorName }),
    async close() {
      for (const { operator, proxy } of replicas.splice(0)) {
        await operator.kill();
        await proxy.close();
      }
    },
  };
}

/** Whether a request may change anything. */
function isWrite({ method }: ProxiedRequest): boolean {
  return method !== 'GET' && method !== 'HEAD';
}

/** The install's own Lease, Role and binding, put into another namespace. */
function leaseObjects(namespace: string): KubernetesObject[] {
  const objects = installManifests() as unknown as readonly KubernetesObject[];
  const wanted = objects.filter(
    ({ kind, metadata }) => ['Lease', 'Role', 'RoleBinding'].includes(kind) && metadata.namespace === systemNamespace,
  );
  return wanted.map((object) => ({ ...object, metadata: { name: object.metadata.name, namespace } }));
}

/** Waits until an operator says that it leads and has begun to work. */
export async function untilLeading({ operator }: Replica, timeout = 90_000): Promise<void> {
  await eventually(
    () => {
      if (operator.logs().some(({ msg }) => msg === 'operator ready')) return;
      throw new Error(`it does not lead: ${operator.logs().at(-1)?.msg} ${operator.stderr()}`);
    },
    { timeout },
  );
}

/** What an operator has said about its part in the election. */
export function roles({ operator }: Replica): unknown[] {
  return operator
    .logs()
    .filter(({ event }) => event === 'leadership')
    .map(({ role }) => role);
}
