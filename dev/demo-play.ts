// The play of `npm run demo -- --once`: commit → sync → drift → heal → bad commit → revert, each measured and checked on the live objects.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { ApplicationStatus } from '../constructs/application-schema.ts';
import { isJsonObject, type JsonObject } from '../operator/model/json.ts';
import { note, type StepResult, step } from './demo-print.ts';
import { type DemoWorld, tenant, until, untilReady } from './demo-world.ts';

/** The object the play changes, and the file of the example that declares it. */
export const played = {
  deployment: `/apis/apps/v1/namespaces/${tenant.namespace}/deployments/web`,
  file: 'main.ts',
} as const;

const replicasInCode = /replicas: (\d+)/;

/** Plays every step in order; throws at the first that does not end as it should. */
export async function playOnce(world: DemoWorld, signal: AbortSignal): Promise<void> {
  const before = await liveReplicas(world);
  const wanted = before + 1;
  const commit = await step('commit', () =>
    pushEdit(world, `web: ${wanted} replicas`, (code) => code.replace(replicasInCode, `replicas: ${wanted}`)),
  );
  await step('sync', () => seeReplicas(world, wanted, signal));
  await step('ready', async () => ({
    value: await untilReady(world, commit, signal),
    detail: `${commit.slice(0, 8)} applied, all objects healthy`,
    milliseconds: performance.now() - world.lastPush(),
  }));
  const drifted = await step('drift', () => drift(world, wanted + 2, signal));
  await step('heal', () => heal(world, wanted, drifted, signal));
  const bad = await step('bad commit', () =>
    pushEdit(world, 'web: a typo', (code) => code.replace(replicasInCode, "replicas: 'many' as never")),
  );
  await step('refused', () => refusal(world, bad, signal));
  await step('last good stays', () => lastGoodStays(world, commit, wanted));
  await step('revert', () => revert(world, bad, signal));
}

async function pushEdit(world: DemoWorld, message: string, edit: (code: string) => string): Promise<StepResult<string>> {
  const file = path.join(world.repo.directory, played.file);
  const code = readFileSync(file, 'utf8');
  const edited = edit(code);
  if (edited === code) throw new Error(`edit ${played.file}: found no "replicas: N" to change`);
  const commit = await world.repo.commitFiles(message, { [played.file]: edited });
  await world.repo.push();
  return { value: commit, detail: `"${message}" pushed as ${commit.slice(0, 8)}` };
}

/** Measured from the moment the Git server had the commit. */
async function seeReplicas(world: DemoWorld, wanted: number, signal: AbortSignal): Promise<StepResult<void>> {
  await until(`Deployment ${tenant.namespace}/web to have ${wanted} replicas`, async () => (await liveReplicas(world)) === wanted, {
    signal,
  });
  return {
    value: undefined,
    detail: `Deployment ${tenant.namespace}/web has ${wanted} replicas, from push to live`,
    milliseconds: performance.now() - world.lastPush(),
  };
}

/** A person's edit, as `kubectl edit` sends it. Returns when the server had it. */
async function drift(world: DemoWorld, replicas: number, signal: AbortSignal): Promise<StepResult<number>> {
  await world.cluster.request({
    method: 'PATCH',
    path: played.deployment,
    query: { fieldManager: 'kubectl-edit' },
    contentType: 'application/strategic-merge-patch+json',
    body: { spec: { replicas } },
    doing: `edit Deployment ${tenant.namespace}/web`,
    signal,
  });
  return { value: performance.now(), detail: `kubectl edit sets ${replicas} replicas` };
}

/** Measured from the answer to the edit. The status must also say who did it. */
async function heal(world: DemoWorld, wanted: number, drifted: number, signal: AbortSignal): Promise<StepResult<void>> {
  await until(`Deployment ${tenant.namespace}/web to be healed`, async () => (await liveReplicas(world)) === wanted, { signal });
  const milliseconds = performance.now() - drifted;
  let seen: NonNullable<ApplicationStatus['drift']>[number] | undefined;
  const isReported = async (): Promise<boolean> => {
    seen = (await world.status()).drift?.find(({ manager, fields }) => manager === 'kubectl-edit' && fields.includes('.spec.replicas'));
    return seen !== undefined;
  };
  await until('the drift to be reported', isReported, { signal });
  return { value: undefined, detail: `back to ${wanted}; drift of ${seen?.fields.join(', ')} by ${seen?.manager}`, milliseconds };
}

/** The bad commit must be refused with the line that is wrong. */
async function refusal(world: DemoWorld, bad: string, signal: AbortSignal): Promise<StepResult<void>> {
  let finding: NonNullable<ApplicationStatus['findings']>['items'][number] | undefined;
  const isRefused = async (): Promise<boolean> => {
    const status = await world.status();
    finding = status.source?.revision === bad ? status.findings?.items.find(({ severity }) => severity === 'error') : undefined;
    return finding !== undefined;
  };
  await until(`${bad.slice(0, 8)} to be refused`, isRefused, { signal });
  const milliseconds = performance.now() - world.lastPush();
  if (finding?.file === undefined || finding.line === undefined) throw new Error(`the finding names no line: ${finding?.message}`);
  return {
    value: undefined,
    detail: `${finding.file}:${finding.line}:${finding.column}: ${finding.code} ${finding.field ?? ''}: ${finding.message}`,
    milliseconds,
  };
}

async function lastGoodStays(world: DemoWorld, commit: string, replicas: number): Promise<StepResult<void>> {
  const status = await world.status();
  const live = await liveReplicas(world);
  if (status.sync?.revision !== commit || live !== replicas) {
    throw new Error(`expected ${commit.slice(0, 8)} with ${replicas} replicas, found ${status.sync?.revision?.slice(0, 8)} with ${live}`);
  }
  return { value: undefined, detail: `${commit.slice(0, 8)} is still applied, ${replicas} replicas` };
}

async function revert(world: DemoWorld, bad: string, signal: AbortSignal): Promise<StepResult<void>> {
  const commit = await world.repo.revert(bad);
  await world.repo.push();
  const status = await untilReady(world, commit, signal);
  if ((status.findings?.total ?? 0) > 0) note(`findings remain: ${status.findings?.total}`);
  return {
    value: undefined,
    detail: `git revert as ${commit.slice(0, 8)}: ${tenant.namespace}/${tenant.application} is ready again`,
    milliseconds: performance.now() - world.lastPush(),
  };
}

async function liveReplicas(world: DemoWorld): Promise<number> {
  const deployment: JsonObject = (await world.live(played.deployment)) ?? {};
  const spec = isJsonObject(deployment['spec']) ? deployment['spec'] : {};
  return Number(spec['replicas']);
}
