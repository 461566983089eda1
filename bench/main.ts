// `npm run bench`: measures the product beside the floor and beside what a user would do instead, in one run, and prints a table of ratios.
import path from 'node:path';
import { parseArgs } from 'node:util';
import { DemoCleanup } from '../dev/demo-cleanup.ts';
import { applyLoop } from './floor.ts';
import { provideModules, synthAndApply } from './peer.ts';
import { formatTable, type Measure, median } from './report.ts';
import { measureHeal, measureIdle, measureRestart } from './steady.ts';
import { measureSynth } from './synth.ts';
import { workload } from './workload.ts';
import {
  type BenchApplication,
  type BenchWorld,
  changeOne,
  follow,
  prepareApplication,
  productMemory,
  startBenchWorld,
  untilSynced,
} from './world.ts';

const { values: flags } = parseArgs({
  options: {
    sizes: { type: 'string', default: '100,1000,5000' },
    samples: { type: 'string', default: '15' },
    only: { type: 'string', default: 'first,latency,memory,synth,heal,restart,idle' },
    idle: { type: 'string', default: '300' },
  },
});
const sizes = flags.sizes.split(',').map(Number);
const samples = Number(flags.samples);
const wanted = (name: string): boolean => flags.only.split(',').includes(name);

/** Seconds a commit may take until its one changed object is live, by number of objects. */
const latencyGoals: Readonly<Record<number, number>> = { 100: 0.3, 1000: 0.5, 5000: 1 };

const cleanup = new DemoCleanup();
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort(new Error('interrupted')));

try {
  const measures: Measure[] = [];
  if (wanted('synth')) measures.push(...(await measureSynth(samples, say)));
  if (['first', 'latency', 'memory'].some(wanted)) measures.push(...(await measureOperator()));
  if (wanted('heal')) measures.push(...(await measureFresh('drift', (world) => measureHeal(world, 100, say))));
  for (const size of wanted('restart') ? [1000, 5000] : [])
    measures.push(...(await measureFresh(`restart of ${size} objects`, (world) => measureRestart(world, size, say))));
  if (wanted('idle')) measures.push(...(await measureFresh('idling', (world) => measureIdle(world, Number(flags.idle), say))));
  process.stdout.write(`${formatTable(measures)}\n`);
  if (measures.some(({ goal }) => !goal.met)) process.exitCode = 1;
} finally {
  await cleanup.run();
}

async function measureOperator(): Promise<Measure[]> {
  say('starting control plane, Git server, synth server and operator');
  const world = await startBenchWorld(cleanup, stop.signal);
  const measures: Measure[] = [];
  if (wanted('first')) measures.push(await measureFirstSync(world, 1000));
  const medians = new Map<number, number>();
  for (const size of wanted('latency') ? sizes : []) {
    const measure = await measureLatency(world, size);
    medians.set(size, median(measure.samples));
    measures.push(measure);
  }
  const [small, large] = [medians.get(100), medians.get(5000)];
  if (small !== undefined && large !== undefined) {
    const against = { name: '100 objects', samples: [small] };
    measures.push({
      name: 'latency, 5,000 objects',
      samples: [large],
      unit: 's',
      against,
      goal: { text: 'under 3×', met: large < 3 * small },
    });
  }
  if (wanted('memory')) measures.push(...(await measureMemory()));
  return measures;
}

/** From creating the Application until the status says Synced; the floor sends the same objects at its best concurrency. */
async function measureFirstSync(world: BenchWorld, size: number): Promise<Measure> {
  const own: number[] = [];
  const floor: number[] = [];
  for (let round = 0; round < 3; round++) {
    say(`first sync of ${size} objects, round ${round + 1} of 3`);
    const best = Math.min(...(await inTurn([16, 32, 64], (concurrency) => applyLoop(world.controlPlane, size, concurrency))));
    floor.push(best);
    const application = await prepareApplication(world, `first-${round}`, workload(size, 'v0'));
    const started = performance.now();
    await follow(world, application);
    await untilSynced(world, application, await application.repo.head());
    own.push((performance.now() - started) / 1000);
  }
  const met = median(own) < 2.5 * median(floor);
  return {
    name: `first sync, ${size} objects`,
    samples: own,
    unit: 's',
    against: { name: 'loop of applies', samples: floor },
    goal: { text: 'under 2.5×', met },
  };
}

/** From the end of a push, webhook included, until the one changed object is live. */
async function measureLatency(world: BenchWorld, size: number): Promise<Measure> {
  const application = await prepareApplication(world, `latency-${size}`, workload(size, 'v0'));
  say(`latency with ${size} objects: first sync`);
  await follow(world, application);
  await untilSynced(world, application, await application.repo.head());
  const own: number[] = [];
  for (let sample = 0; sample <= samples; sample++) {
    const seconds = await changeOne(world, application, size, `v${sample + 1}`);
    if (sample > 0) own.push(seconds);
    say(`latency with ${size} objects: ${seconds.toFixed(3)} s${sample === 0 ? ' (warm-up)' : ''}`);
  }
  const peer = await measurePeer(world, size);
  const goal = latencyGoals[size] ?? Number.POSITIVE_INFINITY;
  const met = median(own) < goal && median(own) * 5 < median(peer);
  const against = { name: 'cdk8s synth + kubectl apply', samples: peer };
  return { name: `one change live, ${size} objects`, samples: own, unit: 's', against, goal: { text: `under ${goal} s and 0.20×`, met } };
}

/** The same commit by hand, in a namespace of its own, so that the two do not take each other's fields. */
async function measurePeer(world: BenchWorld, size: number): Promise<number[]> {
  const application: BenchApplication = await prepareApplication(world, `peer-${size}`, workload(size, 'v0'));
  provideModules(application.repo);
  const kubectl = path.join(path.dirname(world.controlPlane.programs.kubectl ?? 'kubectl'), 'kubectl');
  const seconds: number[] = [];
  for (let sample = 0; sample < (size > 1000 ? 2 : 3); sample++) {
    application.repo.write({ 'data.json': `${JSON.stringify({ objects: size, value: `p${sample}` })}\n` });
    const one = await synthAndApply(application.repo, kubectl, world.controlPlane.kubeconfigPath, application.namespace);
    if (sample > 0) seconds.push(one); // the first creates everything
    say(`cdk8s synth + kubectl apply with ${size} objects: ${one.toFixed(1)} s${sample === 0 ? ' (warm-up)' : ''}`);
  }
  return seconds;
}

/** Memory of a fresh product that follows one application of 1,000 objects, a while after its first sync. */
function measureMemory(): Promise<Measure[]> {
  return measureFresh('memory with 1,000 objects', async (world) => {
    const application = await prepareApplication(world, 'memory', workload(1000, 'v0'));
    await follow(world, application);
    await untilSynced(world, application, await application.repo.head());
    for (let change = 1; change <= 3; change++) await changeOne(world, application, 1000, `v${change}`);
    const megabytes = productMemory(world);
    const goal = { text: 'under 300 MB', met: megabytes > 0 && megabytes < 300 };
    return [{ name: 'memory, 1,000 objects', samples: [megabytes], unit: 'MB', goal }];
  });
}

/** A measure on a control plane and a product of its own. */
async function measureFresh(what: string, measure: (world: BenchWorld) => Promise<Measure[]>): Promise<Measure[]> {
  const own = new DemoCleanup();
  try {
    say(`${what}: a fresh start`);
    return await measure(await startBenchWorld(own, stop.signal));
  } finally {
    await own.run();
  }
}

async function inTurn<In, Out>(items: readonly In[], run: (item: In) => Promise<Out>): Promise<Out[]> {
  const results: Out[] = [];
  for (const item of items) results.push(await run(item));
  return results;
}

/** Progress, apart from the table. */
function say(text: string): void {
  process.stderr.write(`… ${text}\n`);
}
