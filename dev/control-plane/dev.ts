// A control plane in the background for people: up and down by directory. Printing is the caller's business.
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { buildControlPlane } from './build.ts';
import { lockFile } from './file-lock.ts';
import { FILES } from './parts.ts';
import { endProcess, isRunning, signalProcess } from './process-identity.ts';
import { startControlPlane } from './start.ts';
import { clearProcesses, readState } from './state.ts';

export interface DevOptions {
  readonly directory: string;
  /** Called with a line of progress now and then; never with a result. */
  readonly report?: (line: string) => void;
  readonly signal?: AbortSignal;
}

export interface DevCluster {
  readonly kubeconfigPath: string;
  readonly url: string;
  readonly adminToken: string;
  /** Absent when the programs come from a folder of the user's that has none. */
  readonly kubectlPath: string | undefined;
  /** False when it was running already. */
  readonly started: boolean;
}

/**
 * Starts a control plane that lives on in the background, or finds the one running in the directory.
 * What was stored there before is there again.
 * @throws when it does not come up; nothing is left running then.
 */
export async function devUp(options: DevOptions): Promise<DevCluster> {
  const directory = resolve(options.directory);
  return locked(directory, options, async () => {
    const state = readState(directory);
    const alive = state?.processes.filter(({ identity }) => isRunning(identity)) ?? [];
    if (state && alive.length > 0) {
      if (alive.length === state.processes.length) {
        const { kubectl } = await buildControlPlane(options);
        return {
          kubeconfigPath: join(directory, FILES.kubeconfig),
          url: state.url,
          adminToken: state.adminToken,
          kubectlPath: kubectl,
          started: false,
        };
      }
      options.report?.(`a part of the control plane in ${directory} has ended; starting all of it again`);
      await endAll(directory);
    }
    const { kubeconfigPath, url, adminToken, programs } = await startControlPlane({ ...options, directory, detached: true });
    return { kubeconfigPath, url, adminToken, kubectlPath: programs.kubectl, started: true };
  });
}

/**
 * Ends exactly the processes that were started for the directory. Files stay. Doing it twice, or for a directory where nothing ran, is no error.
 * @returns how many processes were ended.
 */
export async function devDown(options: DevOptions): Promise<number> {
  const directory = resolve(options.directory);
  if (!existsSync(directory)) return 0;
  return locked(directory, options, () => endAll(directory));
}

async function endAll(directory: string): Promise<number> {
  const running = readState(directory)?.processes.filter(({ identity }) => isRunning(identity)) ?? [];
  for (const { identity } of running) signalProcess(identity, 'SIGKILL');
  await Promise.all(running.map(({ identity }) => endProcess(identity)));
  clearProcesses(directory);
  return running.length;
}

async function locked<T>(directory: string, { report, signal }: DevOptions, work: () => Promise<T>): Promise<T> {
  const lock = await lockFile(
    join(directory, 'lock'),
    ({ pid }) => report?.(`process ${pid} is at work in ${directory}; waiting for it`),
    signal,
  );
  try {
    return await work();
  } finally {
    lock.release();
  }
}
