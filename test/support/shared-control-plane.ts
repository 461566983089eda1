// The one control plane of a test run: started before the first test under test/cluster, ended after the last.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildControlPlane } from '../../dev/control-plane/build.ts';
import { isRunning } from '../../dev/control-plane/process-identity.ts';
import { type ControlPlane, startControlPlane } from '../../dev/control-plane/start.ts';
import { readState } from '../../dev/control-plane/state.ts';

const PREFIX = 'setpoint-test-cluster-';
let controlPlane: ControlPlane | undefined;

/** Puts into the environment of the test workers where the cluster is: the one the user names, or a new one. */
export async function startShared(): Promise<void> {
  const report = (line: string): void => void process.stderr.write(`${line}\n`);
  if (process.env['USE_EXISTING_CLUSTER'] === 'true') {
    if (!process.env['KUBECONFIG']) throw new Error('USE_EXISTING_CLUSTER=true needs KUBECONFIG, the file that says which cluster');
    process.env['SETPOINT_TEST_KUBECONFIG'] = process.env['KUBECONFIG'];
    return;
  }
  removeLeftovers();
  await buildControlPlane({ report });
  controlPlane = await startControlPlane({ directory: mkdtempSync(join(tmpdir(), PREFIX)), report });
  process.env['SETPOINT_TEST_KUBECONFIG'] = controlPlane.kubeconfigPath;
}

export async function stopShared(): Promise<void> {
  if (!controlPlane) return;
  await controlPlane.stop();
  rmSync(controlPlane.directory, { recursive: true, force: true });
  controlPlane = undefined;
}

/** Folders of test runs that were killed; their processes have ended with them. */
function removeLeftovers(): void {
  for (const entry of readdirSync(tmpdir()).filter((name) => name.startsWith(PREFIX))) {
    const directory = join(tmpdir(), entry);
    const state = readState(directory);
    if (state && !state.processes.some(({ identity }) => isRunning(identity))) rmSync(directory, { recursive: true, force: true });
  }
}
