// An Application on a real cluster with a real Git repository behind it: what tests of the whole operator commit to and look at.
import { join } from 'node:path';
import { tenantManifests } from '../../charts/tenant.ts';
import type { ApplicationSpecProps, ApplicationStatus } from '../../constructs/application-schema.ts';
import { type GitServer, type GitServerOptions, startGitServer } from '../../dev/git-server.ts';
import { ManifestRepo } from '../../dev/manifest-repo.ts';
import { admin, type KubernetesObject, scratchDirectory, testNamespace, uniqueName } from './cluster.ts';
import { eventually } from './eventually.ts';

/** A tenant's namespace with the rights that an Application needs in it. */
export async function tenantNamespace(prefix = 'tenant'): Promise<string> {
  const namespace = await testNamespace(prefix);
  for (const object of tenantManifests({ namespace }) as unknown as readonly KubernetesObject[]) await admin().apply(object);
  return namespace;
}

/** A Git server of this test file. */
export function startTestGitServer(options: Omit<GitServerOptions, 'root'> = {}): Promise<GitServer> {
  return startGitServer({ root: join(scratchDirectory(), uniqueName('git')), ...options });
}

/** A repository with a first commit. */
export async function createRepo(git: GitServer, files: Readonly<Record<string, string>>): Promise<{ repo: ManifestRepo; url: string }> {
  const name = `${uniqueName('repo')}.git`;
  const url = await git.createRepository(name);
  const repo = await ManifestRepo.create({ directory: join(scratchDirectory(), uniqueName('work')), remote: url });
  await repo.commitFiles('first', files);
  await repo.push();
  return { repo, url };
}

/** Commits and pushes. @returns the commit. */
export async function push(repo: ManifestRepo, message: string, files: Readonly<Record<string, string | undefined>>): Promise<string> {
  const commit = await repo.commitFiles(message, files);
  await repo.push();
  return commit;
}

/** Creates or changes an Application. The interval is short, so that a test waits for no webhook. */
export function applyApplication(namespace: string, name: string, spec: ApplicationSpecProps): Promise<KubernetesObject> {
  const source = { interval: '1s', ...spec.source };
  return admin().apply({
    apiVersion: 'setpoint.dev/v1alpha1',
    kind: 'Application',
    metadata: { namespace, name },
    spec: { ...spec, source },
  });
}

/** A live Application. */
export function getApplication(namespace: string, name: string): Promise<KubernetesObject & { readonly status?: ApplicationStatus }> {
  return admin().get({ apiVersion: 'setpoint.dev/v1alpha1', kind: 'Application', namespace, name });
}

/** Waits until the status is as `check` wants it, and returns it. */
export function untilStatus(
  namespace: string,
  name: string,
  check: (status: ApplicationStatus) => void,
  timeout = 40_000,
): Promise<ApplicationStatus> {
  return eventually(
    async () => {
      const status = (await getApplication(namespace, name)).status ?? {};
      try {
        check(status);
      } catch (error) {
        if (error instanceof Error) error.message += `\nstatus: ${JSON.stringify(status, undefined, 1).slice(0, 3_000)}`;
        throw error;
      }
      return status;
    },
    { timeout },
  );
}

/** Waits until a commit is applied in full and healthy. */
export function untilSynced(namespace: string, name: string, commit: string, timeout = 40_000): Promise<ApplicationStatus> {
  return untilStatus(
    namespace,
    name,
    (status) => {
      const ready = conditionOf(status, 'Ready');
      if (status.sync?.revision !== commit || ready?.status !== 'True')
        throw new Error(`${commit.slice(0, 8)} is not synced: ${ready?.message}`);
    },
    timeout,
  );
}

/** One condition of a status. */
export function conditionOf(status: ApplicationStatus, type: string): NonNullable<ApplicationStatus['conditions']>[number] | undefined {
  return status.conditions?.find((condition) => condition.type === type);
}

/** A ConfigMap as YAML. */
export function configMap(name: string, data: Readonly<Record<string, string>>): string {
  return `${JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data })}\n`;
}
