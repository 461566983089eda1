// The play of `npm run demo -- --once`: commit → sync → drift → heal → bad commit → revert, each measured and checked on the live objects.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { ApplicationStatus } from '../constructs/application-schema.ts';
import { isJsonObject, type JsonObject } from '../operator/model/json.ts';
import { note, type StepResult, step } from './demo-print.ts';
import { until } from './demo-until.ts';
import { type DemoWorld, tenant, untilReady } from './demo-world.ts';

/** The object the play changes. */
const deploymentPath = `/apis/apps/v1/namespaces/${tenant.namespace}/deployments/shop`;
const deploymentName = `Deployment ${tenant.namespace}/shop`;

/** The edits of the play, each as a person would make it. */
const edits = {
  newImage: { file: 'apps/shop/main.ts', from: 'shop:2.3.1', to: 'shop:2.3.2', message: 'shop: 2.3.2' },
  mistake: { file: 'lib/environment.ts', from: 'replicas: 3,', to: "replicas: 'three',", message: 'prod: three replicas' },
} as const;
const declaredReplicas = 3;

/** Plays every step in order; throws at the first that does not end as it should. */
export async function playOnce(world: DemoWorld, signal: AbortSignal): Promise<void> {
  const good = await step('commit', () => pushEdit(world, edits.newImage));
  await step('sync', () => seeImage(world, signal));
  await step('healthy', () => seeReady(world, good, signal));
  const drifted = await step('drift', () => drift(world, declaredReplicas + 2, signal));
  await step('heal', () => heal(world, drifted, signal));
  const bad = await step('bad commit', () => pushEdit(world, edits.mistake));
  note(await step('refused', () => refusal(world, bad, signal)));
  await step('last good stays', () => lastGoodStays(world, good));
  await step('revert', () => revert(world, bad, signal));
}

async function pushEdit(world: DemoWorld, edit: (typeof edits)[keyof typeof edits]): Promise<StepResult<string>> {
  const code = readFileSync(path.join(world.repo.directory, edit.file), 'utf8');
  if (!code.includes(edit.from)) throw new Error(`edit ${edit.file}: it does not hold "${edit.from}"`);
  const commit = await world.repo.commitFiles(edit.message, { [edit.file]: code.replace(edit.from, edit.to) });
  await world.repo.push();
  return { value: commit, detail: `${commit.slice(0, 8)} "${edit.message}" pushed` };
}

/** Measured from the moment the Git server had the commit. */
async function seeImage(world: DemoWorld, signal: AbortSignal): Promise<StepResult<void>> {
  const isLive = async (): Promise<boolean> => JSON.stringify(await world.live(deploymentPath)).includes(edits.newImage.to);
  await until(`${deploymentName} to have the image ${edits.newImage.to}`, isLive, { signal });
  return {
    value: undefined,
    detail: `${deploymentName} has ${edits.newImage.to}: push → live`,
    milliseconds: performance.now() - world.lastPush(),
  };
}

async function seeReady(world: DemoWorld, commit: string, signal: AbortSignal): Promise<StepResult<void>> {
  await untilReady(world, commit, signal);
  return { value: undefined, detail: `${commit.slice(0, 8)} rolled out: push → Ready`, milliseconds: performance.now() - world.lastPush() };
}

/** A person's edit, as `kubectl edit` sends it. Returns when the server had it. */
async function drift(world: DemoWorld, replicas: number, signal: AbortSignal): Promise<StepResult<number>> {
  await world.cluster.request({
    method: 'PATCH',
    path: deploymentPath,
    query: { fieldManager: 'kubectl-edit' },
    contentType: 'application/strategic-merge-patch+json',
    body: { spec: { replicas } },
    doing: `edit ${deploymentName}`,
    signal,
  });
  return { value: performance.now(), detail: `kubectl edit sets replicas ${declaredReplicas} → ${replicas}` };
}

/** Measured from the answer to the edit. The status must also say who did it. */
async function heal(world: DemoWorld, drifted: number, signal: AbortSignal): Promise<StepResult<void>> {
  await until(`${deploymentName} to be healed`, async () => (await liveReplicas(world)) === declaredReplicas, { signal });
  const milliseconds = performance.now() - drifted;
  let seen: NonNullable<ApplicationStatus['drift']>[number] | undefined;
  const isReported = async (): Promise<boolean> => {
    seen = (await world.status()).drift?.find(({ manager, fields }) => manager === 'kubectl-edit' && fields.includes('.spec.replicas'));
    return seen !== undefined;
  };
  await until('the drift to be reported', isReported, { signal });
  return { value: undefined, detail: `back to ${declaredReplicas}; seen: ${seen?.fields.join(', ')} by ${seen?.manager}`, milliseconds };
}

/** The bad commit must be refused with the line that is wrong. */
async function refusal(world: DemoWorld, bad: string, signal: AbortSignal): Promise<StepResult<string>> {
  let finding: NonNullable<ApplicationStatus['findings']>['items'][number] | undefined;
  const isRefused = async (): Promise<boolean> => {
    const status = await world.status();
    finding = status.source?.revision === bad ? status.findings?.items.find(({ severity }) => severity === 'error') : undefined;
    return finding !== undefined;
  };
  await until(`${bad.slice(0, 8)} to be refused`, isRefused, { signal });
  const milliseconds = performance.now() - world.lastPush();
  if (finding?.file === undefined || finding.line === undefined) throw new Error(`the finding names no line: ${finding?.message}`);
  const line = `${finding.file}:${finding.line}:${finding.column}: ${finding.code} ${finding.field ?? ''}: ${finding.message}`;
  return { value: line, detail: `${bad.slice(0, 8)} is refused: push → finding with its line`, milliseconds };
}

async function lastGoodStays(world: DemoWorld, commit: string): Promise<StepResult<void>> {
  const status = await world.status();
  const live = await liveReplicas(world);
  if (status.sync?.revision !== commit || live !== declaredReplicas) {
    throw new Error(
      `expected ${commit.slice(0, 8)} with ${declaredReplicas} replicas, found ${status.sync?.revision?.slice(0, 8)} with ${live}`,
    );
  }
  return { value: undefined, detail: `${commit.slice(0, 8)} is still applied, ${live} replicas` };
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
  const deployment: JsonObject = (await world.live(deploymentPath)) ?? {};
  const spec = isJsonObject(deployment['spec']) ? deployment['spec'] : {};
  return Number(spec['replicas']);
}
