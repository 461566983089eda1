// Finds or builds the programs of the local control plane. Starting them is done in start.ts.
import { accessSync, constants, existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { buildGoProgram } from './go-build.ts';

const KUBERNETES_VERSION = 'v1.36.3';

/** The programs, by the name each is called by. Only etcd and kube-apiserver are always there. */
export interface ControlPlanePrograms {
  readonly etcd: string;
  readonly 'kube-apiserver': string;
  readonly 'kube-controller-manager'?: string;
  readonly 'kube-scheduler'?: string;
  readonly kwok?: string;
  readonly kubectl?: string;
}

export type ProgramName = keyof ControlPlanePrograms;

export interface BuildOptions {
  readonly report?: (line: string) => void;
  readonly env?: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal;
}

const PROGRAMS: readonly ProgramName[] = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kwok', 'kubectl'];

const WITHOUT_GO = [
  'Without Go you can name what is there already:',
  '  KUBECONFIG=FILE         an existing cluster (for tests together with USE_EXISTING_CLUSTER=true)',
  '  KUBEBUILDER_ASSETS=DIR  a folder with the binaries etcd, kube-apiserver and, if you have them, kube-controller-manager, kube-scheduler, kwok and kubectl',
].join('\n');

/**
 * Returns where the programs are: in KUBEBUILDER_ASSETS when the user names it, otherwise in the user's cache folder,
 * where the first call on a machine builds them from source in 5 to 8 minutes.
 * @throws an error that names the alternatives when there is no suitable Go.
 */
export async function buildControlPlane(options: BuildOptions = {}): Promise<ControlPlanePrograms> {
  const env = options.env ?? process.env;
  if (env['KUBEBUILDER_ASSETS']) return findPrograms(env['KUBEBUILDER_ASSETS']);
  const folder = await buildGoProgram({
    source: join(import.meta.dirname, 'go'),
    cache: join(env['XDG_CACHE_HOME'] || join(env['HOME'] ?? homedir(), '.cache'), 'setpoint', 'control-plane'),
    name: 'control-plane',
    aliases: PROGRAMS,
    ldflags: versionFlags(),
    expectation: 'the first time 5 to 8 minutes on two cores, after that from the cache',
    withoutGo: WITHOUT_GO,
    ...options,
  });
  return findPrograms(folder);
}

function findPrograms(folder: string): ControlPlanePrograms {
  const found = Object.fromEntries(PROGRAMS.map((name) => [name, join(folder, name)] as const).filter(([, path]) => existsSync(path)));
  const { etcd, 'kube-apiserver': apiServer } = found;
  if (!etcd || !apiServer) throw new Error(`look for the control plane in ${folder}: it must hold at least etcd and kube-apiserver`);
  for (const path of Object.values(found)) {
    try {
      accessSync(path, constants.X_OK);
    } catch {
      throw new Error(`look for the control plane in ${folder}: ${path} is not executable`);
    }
  }
  return { ...found, etcd, 'kube-apiserver': apiServer };
}

/** What the upstream release build sets, so that `kubectl version` and /version tell the truth. */
function versionFlags(): string {
  const [major, minor] = KUBERNETES_VERSION.slice(1).split('.');
  const values = { gitVersion: KUBERNETES_VERSION, gitMajor: major, gitMinor: minor, gitTreeState: 'clean' };
  const packages = ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'];
  return ['-s -w', ...packages.flatMap((path) => Object.entries(values).map(([name, value]) => `-X ${path}.${name}=${value}`))].join(' ');
}
