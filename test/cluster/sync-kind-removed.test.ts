// Whoever deletes the kind Application removes Setpoint, not what runs: on a control plane of its own, since it takes the kind from everybody.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { tenantManifests } from '../../charts/tenant.ts';
import { type ControlPlane, startControlPlane } from '../../dev/control-plane/start.ts';
import type { GitServer } from '../../dev/git-server.ts';
import { applyApplication, configMap, createRepo, startTestGitServer, untilSynced } from '../support/application.ts';
import { admin, eventually, type KubernetesObject } from '../support/cluster.ts';
import { type RunningOperator, startOperator } from '../support/operator.ts';

const namespace = 'tenant';
const directory = mkdtempSync(path.join(tmpdir(), 'setpoint-test-kind-'));
let controlPlane: ControlPlane;
let operator: RunningOperator;
let git: GitServer;

beforeAll(async () => {
  controlPlane = await startControlPlane({ directory, apiOnly: true });
  // Everything below looks at this cluster instead of the shared one.
  process.env['SETPOINT_TEST_KUBECONFIG'] = controlPlane.kubeconfigPath;
  // Nobody fills in the aggregated role `admin` here.
  const manifests = tenantManifests({ namespace, clusterRole: 'cluster-admin' }) as unknown as readonly KubernetesObject[];
  for (const object of manifests) await admin().apply(object);
  git = await startTestGitServer();
  operator = await startOperator({ namespaces: [namespace] });
}, 600_000);

afterAll(async () => {
  await operator?.stop();
  await git?.close();
  await controlPlane?.stop();
  rmSync(directory, { recursive: true, force: true });
}, 60_000);

test('P8 deleting the kind Application leaves every object as it is, whatever deletionPolicy says, and hangs nowhere', async () => {
  const { repo, url } = await createRepo(git, { 'a.yaml': configMap('settings', { n: '1' }) });
  await applyApplication(namespace, 'shop', { source: { repoURL: url }, deletionPolicy: 'Delete' });
  await untilSynced(namespace, 'shop', await repo.head(), 60_000);
  const settings = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'settings' };
  const before = await admin().get(settings);
  const definition = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', name: 'applications.setpoint.dev' };
  await admin().delete(definition);
  await eventually(async () => expect(await admin().tryGet(definition)).toBeUndefined(), { timeout: 60_000 });
  expect(await admin().get(settings)).toEqual(before);
}, 200_000);
