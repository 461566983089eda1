// The product's own processes in the demo, started as a user would: a synth server without credentials and an operator under its ServiceAccount's token.
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import path from 'node:path';
import { operatorName, systemNamespace } from '../charts/names.ts';
import { startProgram, type Watchdog } from './control-plane/child-processes.ts';
import { endProcess, type ProcessIdentity } from './control-plane/process-identity.ts';
import { createServiceAccountKubeconfig } from './control-plane/service-account.ts';
import type { DemoCleanup } from './demo-cleanup.ts';
import { type StepResult, step } from './demo-print.ts';
import { until } from './demo-until.ts';

/** The command that users type. */
export const bin = path.resolve(import.meta.dirname, '..', 'operator', 'setpoint.js');

/** Where the processes run and what ends them. */
export interface ProcessSurroundings {
  /** Logs, keys and the operator's data. */
  readonly directory: string;
  /** Kubeconfig of the admin, to ask for the operator's token. */
  readonly adminKubeconfigPath: string;
  readonly watchdog: Watchdog;
  readonly cleanup: DemoCleanup;
  readonly signal: AbortSignal;
}

/** The running product. */
export interface ProductProcesses {
  /** `host:port` of the operator's API. */
  readonly apiAddress: string;
  /** `host:port` of the operator's metrics. */
  readonly metricsAddress: string;
  readonly webhookSecret: string;
  /** The operator as it runs now. */
  operator(): ProcessIdentity;
  /** Ends the operator as a crash would and starts another. @returns monotonic milliseconds at which the new process was started. */
  restartOperator(): Promise<number>;
}

/** Where the operator writes its log. */
export function operatorLog(directory: string): string {
  return path.join(directory, 'operator.log');
}

/** Starts synth server and operator in the topology of the install; returns when both are ready. */
export async function startProduct(surroundings: ProcessSurroundings): Promise<ProductProcesses> {
  const synthAddress = `127.0.0.1:${await freePort()}`;
  const apiAddress = `127.0.0.1:${await freePort()}`;
  const metricsAddress = `127.0.0.1:${await freePort()}`;
  const synthKey = writeKey(surroundings, 'synth-key');
  const webhookKey = writeKey(surroundings, 'webhook-key');
  await step('synth server', () => startSynthServer(surroundings, synthAddress, synthKey.file));
  const kubeconfig = path.join(surroundings.directory, 'operator.kubeconfig');
  const flags = [
    ...['operator', `--kubeconfig=${kubeconfig}`, `--api-address=${apiAddress}`, `--metrics-address=${metricsAddress}`],
    ...[`--synth-address=${synthAddress}`, `--synth-key-file=${synthKey.file}`, `--webhook-secret-file=${webhookKey.file}`],
    ...[`--data-dir=${path.join(surroundings.directory, 'operator-data')}`, '--allow-loopback-git'],
  ];
  let operator = await step('operator', () => startOperator(surroundings, kubeconfig, apiAddress, flags));
  return {
    ...{ apiAddress, metricsAddress, webhookSecret: webhookKey.key },
    operator: () => operator,
    async restartOperator() {
      await endProcess(operator, 'SIGKILL');
      const started = performance.now();
      operator = startProcess(surroundings, operatorLog(surroundings.directory), flags);
      return started;
    },
  };
}

function writeKey({ directory }: ProcessSurroundings, name: string): { readonly file: string; readonly key: string } {
  const file = path.join(directory, name);
  const key = randomBytes(32).toString('hex');
  writeFileSync(file, key, { mode: 0o600 });
  return { file, key };
}

async function startSynthServer(surroundings: ProcessSurroundings, address: string, keyFile: string): Promise<StepResult<undefined>> {
  const log = path.join(surroundings.directory, 'synth-server.log');
  const identity = startProcess(surroundings, log, ['synth-server', `--address=${address}`, `--key-file=${keyFile}`]);
  await until('the synth server to listen', () => isListening(address), { signal: surroundings.signal, watch: { identity, log } });
  return { value: undefined, detail: 'a process of its own that holds no credentials' };
}

/** The operator has the rights of the charts and no others: it is never cluster-admin. */
async function startOperator(
  surroundings: ProcessSurroundings,
  kubeconfig: string,
  apiAddress: string,
  flags: readonly string[],
): Promise<StepResult<ProcessIdentity>> {
  const { directory, adminKubeconfigPath, signal } = surroundings;
  await createServiceAccountKubeconfig({ adminKubeconfigPath, namespace: systemNamespace, name: operatorName, path: kubeconfig });
  const log = operatorLog(directory);
  const identity = startProcess(surroundings, log, flags);
  const isReady = async (): Promise<boolean> => (await fetch(`http://${apiAddress}/readyz`).catch(() => undefined))?.ok === true;
  await until('the operator to be ready', isReady, { signal, watch: { identity, log } });
  return { value: identity, detail: `as ServiceAccount ${systemNamespace}/${operatorName}` };
}

/** Starts one of the product's commands; it ends with the demo, however the demo ends. */
function startProcess({ directory, watchdog, cleanup }: ProcessSurroundings, log: string, args: readonly string[]): ProcessIdentity {
  const identity = startProgram({ command: process.execPath, args: [bin, ...args], directory, log });
  watchdog.watch(identity);
  cleanup.add(() => endProcess(identity, 'SIGTERM', 10_000));
  return identity;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function isListening(address: string): Promise<boolean> {
  const [host = '', port = ''] = address.split(':');
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port) }, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
