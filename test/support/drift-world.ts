// An operator behind a recording proxy, with Applications made from a few objects: what tests of drift change by hand and count writes in.
import { join } from 'node:path';
import type { ApplicationSpecProps, ApplicationStatus } from '../../constructs/application-schema.ts';
import { type ApiProxy, type ProxiedRequest, startApiProxy } from '../../dev/api-proxy.ts';
import type { ManifestRepo } from '../../dev/manifest-repo.ts';
import { applyApplication, createRepo, push, startTestGitServer, tenantNamespace, untilSynced } from './application.ts';
import { kubeconfigPath, type Ref, scratchDirectory, uniqueName } from './cluster.ts';
import { installOperator, type RunningOperator, startOperator } from './operator.ts';

type Sync = NonNullable<ApplicationSpecProps['sync']>;

/** An object as a test declares it; `name` in metadata is enough. */
export interface DeclaredObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly [member: string]: unknown };
  readonly [member: string]: unknown;
}

/** One Application of a test. */
export interface Subject {
  readonly name: string;
  readonly repo: ManifestRepo;
  /** A live object of it. */
  ref(object: DeclaredObject): Ref;
  /** Commits these objects in place of all others; waits until they are synced. */
  declare(...objects: readonly DeclaredObject[]): Promise<ApplicationStatus>;
  /** Commits without waiting. @returns the commit. */
  commit(...objects: readonly DeclaredObject[]): Promise<string>;
  /** Changes spec.sync. */
  configure(sync: Sync): Promise<void>;
}

/** The world of one test file. */
export interface DriftWorld {
  readonly namespace: string;
  readonly proxy: ApiProxy;
  readonly operator: RunningOperator;
  /** An Application whose first commit, these objects, is synced. */
  start(name: string, objects: readonly DeclaredObject[], sync?: Sync): Promise<Subject>;
  /** Writes of the operator to an object that the server accepted since the proxy was cleared, dry runs left out. */
  writesTo(object: DeclaredObject): ProxiedRequest[];
  stop(): Promise<void>;
}

/** Starts Git server, proxy and operator. */
export async function startDriftWorld(prefix: string): Promise<DriftWorld> {
  const namespace = await tenantNamespace(prefix);
  const git = await startTestGitServer();
  const proxy = await startApiProxy({ kubeconfigPath: kubeconfigPath() });
  const kubeconfig = join(scratchDirectory(), `${uniqueName('through-proxy')}.kubeconfig`);
  proxy.writeKubeconfig(await installOperator(), kubeconfig);
  const operator = await startOperator({ namespaces: [namespace], kubeconfig });
  return {
    ...{ namespace, proxy, operator },
    async start(name, objects, sync = {}) {
      const { repo, url } = await createRepo(git, { 'objects.yaml': textOf(objects) });
      const apply = (settings: Sync) => applyApplication(namespace, name, { source: { repoURL: url }, sync: settings });
      await apply(sync);
      await untilSynced(namespace, name, await repo.head(), 60_000);
      const commit = (...declared: readonly DeclaredObject[]) => push(repo, 'change', { 'objects.yaml': textOf(declared) });
      return {
        ...{ name, repo, commit },
        ref: ({ apiVersion, kind, metadata }) => ({ apiVersion, kind, namespace, name: metadata.name }),
        declare: async (...declared) => untilSynced(namespace, name, await commit(...declared), 60_000),
        configure: async (settings) => void (await apply(settings)),
      };
    },
    writesTo: ({ metadata }) =>
      proxy
        .writes()
        .filter(({ path, status }) => path.endsWith(`/${metadata.name}`) && !path.includes('/setpoint.dev/') && (status ?? 500) < 300),
    async stop() {
      await operator.stop();
      await proxy.close();
      await git.close();
    },
  };
}

function textOf(objects: readonly DeclaredObject[]): string {
  return objects.map((object) => `${JSON.stringify(object)}\n`).join('---\n');
}
