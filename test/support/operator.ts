// The product as a user runs it: installed by its own manifests, started as a process under the operator's ServiceAccount. Nothing of it is imported.
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { installManifests } from '../../charts/install.ts';
import { operatorName, systemNamespace } from '../../charts/names.ts';
import { createServiceAccountKubeconfig } from '../../dev/control-plane/service-account.ts';
import { admin, type KubernetesObject, kubeconfigPath, scratchDirectory, uniqueName } from './cluster.ts';
import { eventually } from './eventually.ts';

const bin = join(import.meta.dirname, '..', '..', 'operator', 'setpoint.js');

/** A line of the operator's log. */
export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** How an operator is started; everything has a default. */
export interface OperatorOptions {
  /** Serve only these; several operators may then share one cluster. */
  readonly namespaces?: readonly string[];
  /** @default one of the operator's ServiceAccount */
  readonly kubeconfig?: string;
  readonly flags?: readonly string[];
  /** @default 'debug' */
  readonly logLevel?: string;
  /** Module that Node loads before the program. */
  readonly preload?: string;
}

/** A running operator. */
export interface RunningOperator {
  readonly apiUrl: string;
  readonly metricsUrl: string;
  readonly pid: number;
  /** Resolves with its exit code when it ends by itself or otherwise; null when a signal ended it. */
  readonly ended: Promise<number | null>;
  /** Everything it has logged so far. */
  logs(): readonly LogLine[];
  /** What it wrote besides. */
  stderr(): string;
  /** Ends it as Kubernetes would and waits for it. @returns its exit code; null when it had to be killed. */
  stop(): Promise<number | null>;
  /** Ends it at once, as a crash would. */
  kill(): Promise<void>;
}

/** Applies the install but for its Deployments: no kubelet runs containers here. Doing it twice changes nothing. @returns a kubeconfig of the operator's ServiceAccount. */
export async function installOperator(): Promise<string> {
  const objects = installManifests() as unknown as readonly KubernetesObject[];
  for (const object of objects) {
    if (object.kind !== 'Deployment') await eventually(() => admin().apply(object, { fieldManager: 'setpoint-install' }));
  }
  const path = join(scratchDirectory(), `${uniqueName('operator')}.kubeconfig`);
  await createServiceAccountKubeconfig({ adminKubeconfigPath: kubeconfigPath(), namespace: systemNamespace, name: operatorName, path });
  return path;
}

/** Starts an operator and waits until it is ready. */
export async function startOperator(options: OperatorOptions = {}): Promise<RunningOperator> {
  const kubeconfig = options.kubeconfig ?? (await installOperator());
  const args = [
    ...(options.preload === undefined ? [] : [`--import=${options.preload}`]),
    ...[bin, 'operator', `--kubeconfig=${kubeconfig}`, '--api-address=127.0.0.1:0', '--metrics-address=127.0.0.1:0'],
    ...[`--log-level=${options.logLevel ?? 'debug'}`, '--allow-loopback-git'],
    ...(options.namespaces === undefined ? [] : [`--namespaces=${options.namespaces.join(',')}`]),
    ...(options.flags ?? []),
  ];
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'] },
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const output = collect(child);
  const started = await eventually(
    () => {
      const line = output.lines.find(({ msg }) => msg === 'operator started');
      if (child.exitCode !== null) throw new Error(`the operator ended with ${child.exitCode}: ${output.errors()}`);
      if (line === undefined) throw new Error(`the operator has not started: ${output.errors()}`);
      return line;
    },
    { timeout: 120_000 },
  );
  const apiUrl = String(started['api']);
  await eventually(
    async () => {
      const answer = await fetch(`${apiUrl}/readyz`);
      if (!answer.ok) throw new Error(`the operator is not ready: ${await answer.text()}`);
    },
    { timeout: 120_000 },
  );
  return {
    apiUrl,
    metricsUrl: String(started['metrics']),
    pid: child.pid ?? 0,
    ended,
    logs: () => output.lines,
    stderr: output.errors,
    stop: () => end(child, 'SIGTERM'),
    kill: async () => void (await end(child, 'SIGKILL')),
  };
}

function collect(child: ChildProcess): { readonly lines: LogLine[]; errors(): string } {
  const lines: LogLine[] = [];
  let rest = '';
  let errors = '';
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) lines.push(JSON.parse(part) as LogLine);
  });
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    errors += chunk;
  });
  return { lines, errors: () => errors };
}

/** Ends a child; kills it when it does not end in time. */
async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  child.kill(signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), 25_000);
  const code = await ended;
  clearTimeout(timer);
  return code;
}
