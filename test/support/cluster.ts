// What a test under test/cluster needs: the cluster of this run, a namespace of its own, an admin, kubectl and other identities.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll } from '@jest/globals';
import { type ApiClient, connectWithKubeconfig } from '../../dev/control-plane/api-client.ts';
import { buildControlPlane } from '../../dev/control-plane/build.ts';
import { readKubeconfig } from '../../dev/control-plane/kubeconfig.ts';
import { createServiceAccountKubeconfig } from '../../dev/control-plane/service-account.ts';
import { type Admin, adminOf } from './admin.ts';

export type { Admin, KubernetesObject, Ref } from './admin.ts';
export { eventually } from './eventually.ts';

const run = promisify(execFile);
const suffix = `${process.pid.toString(36)}${Date.now().toString(36).slice(-5)}`;
const namespaces: string[] = [];
let client: ApiClient | undefined;
let scratch: string | undefined;
let count = 0;

/** Path of the admin's kubeconfig. @throws outside test/cluster, where no cluster is started. */
export function kubeconfigPath(): string {
  const path = process.env['SETPOINT_TEST_KUBECONFIG'];
  if (!path) throw new Error('this test needs a cluster: it must be under test/cluster and be run with `npm run jest`');
  return path;
}

/** Address, authority and credentials of the admin. */
export function cluster(): ReturnType<typeof readKubeconfig> {
  return readKubeconfig(kubeconfigPath());
}

/** Requests as cluster-admin; one client per test file, closed after it. */
export function admin(): Admin {
  client ??= connectWithKubeconfig(kubeconfigPath());
  return adminOf(client);
}

/** Creates a namespace that no other test has; it is deleted after the test file. */
export async function testNamespace(prefix = 'test'): Promise<string> {
  const name = `${prefix}-${suffix}-${++count}`;
  await admin().create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  namespaces.push(name);
  return name;
}

/** A name for cluster-wide objects that no other test has. */
export function uniqueName(prefix: string): string {
  return `${prefix}-${suffix}-${++count}`;
}

/** Runs kubectl as the admin, or with another kubeconfig. @throws with what kubectl wrote to stderr when it fails. */
export async function kubectl(
  args: readonly string[],
  { input, kubeconfig = kubeconfigPath() }: { readonly input?: string; readonly kubeconfig?: string } = {},
): Promise<string> {
  const { kubectl: program = 'kubectl' } = await buildControlPlane();
  const running = run(program, [...args], { env: { PATH: process.env['PATH'], HOME: scratchDirectory(), KUBECONFIG: kubeconfig } });
  running.child.stdin?.end(input);
  return (await running).stdout;
}

/** A kubeconfig of a ServiceAccount, both created when absent: for tests of what somebody with few rights can do. */
export async function serviceAccountKubeconfig(namespace: string, name: string): Promise<string> {
  const path = join(scratchDirectory(), `${namespace}-${name}.kubeconfig`);
  await createServiceAccountKubeconfig({ adminKubeconfigPath: kubeconfigPath(), namespace, name, path, create: true });
  return path;
}

/** A folder for this test file, removed after it. */
export function scratchDirectory(): string {
  scratch ??= mkdtempSync(join(tmpdir(), 'setpoint-test-'));
  return scratch;
}

afterAll(async () => {
  if (client) {
    for (const name of namespaces) await admin().delete({ apiVersion: 'v1', kind: 'Namespace', name });
    await client.close();
  }
  if (scratch) rmSync(scratch, { recursive: true, force: true });
});
