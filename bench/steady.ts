// The product at rest and at work on drift: how fast an edit is undone, what it costs to watch, how soon a restarted operator knows. Beside one apply's round trip.
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { type Measure, median } from './report.ts';
import { workload } from './workload.ts';
import { type BenchApplication, type BenchWorld, follow, poll, prepareApplication, untilSynced } from './world.ts';

type Say = (text: string) => void;

/** From the answer to an edit of a field of ours until a watch shows it undone; each time another object, as people do. */
export async function measureHeal(world: BenchWorld, samples: number, say: Say): Promise<Measure[]> {
  const application = await synced(world, 'heal', 1000);
  say(`${samples} edits of objects among 1,000`);
  const own: number[] = [];
  const floor: number[] = [];
  for (let sample = 0; sample <= samples; sample++) {
    const name = `o-${sample * 5}`; // every fifth is a ConfigMap; none is edited so often that its heals are spaced out
    const undone = await editAndWait(world, application, name);
    const trip = await roundTrip(world, application, name);
    if (sample === 0) continue; // the first opens connections
    own.push(undone);
    floor.push(trip);
    await pause(20);
  }
  const against = { name: 'one apply', samples: floor };
  const worst = Math.max(...own);
  return [
    {
      ...{ name: 'edit undone, median', samples: own, unit: 'ms', against },
      goal: { text: 'under 3×', met: median(own) < 3 * median(floor) },
    },
    { name: 'edit undone, worst', samples: [worst], unit: 'ms', goal: { text: 'under 250 ms', met: worst < 250 } },
  ];
}

/** What 10 applications of 100 objects cost while nothing happens. */
export async function measureIdle(world: BenchWorld, seconds: number, say: Say): Promise<Measure[]> {
  for (let index = 0; index < 10; index++) await synced(world, `idle-${index}`, 100);
  await pause(5_000); // status writes and Events of the first syncs end
  say(`idle for ${seconds} s with 10 applications and 1,000 objects`);
  const before = { cpu: cpuSeconds(world), requests: await requests(world) };
  await pause(seconds * 1_000, undefined, { signal: world.signal });
  const used = cpuSeconds(world) - before.cpu;
  const after = await requests(world);
  const share = (used / seconds) * 100;
  const writes = after.writes - before.requests.writes;
  const reads = after.reads - before.requests.reads;
  return [
    { name: 'idle: processor', samples: [share], unit: '%', goal: { text: 'under 0.5 % of a core', met: share < 0.5 } },
    { name: 'idle: writes', samples: [writes], unit: '', goal: { text: 'none', met: writes === 0 } },
    // Watches that the server ends after 5 to 10 minutes are opened again.
    { name: 'idle: reads, watches included', samples: [reads], unit: '', goal: { text: 'watches only', met: reads <= after.watches } },
  ];
}

/** From the start of a new process until it says that everything is in sync. */
export async function measureRestart(world: BenchWorld, size: number, say: Say): Promise<Measure[]> {
  const application = await synced(world, `restart-${size}`, size);
  const seconds: number[] = [];
  let writes = 0;
  for (let round = 0; round < 3; round++) {
    await pause(2_000);
    const started = await world.product.restartOperator();
    await poll(`the restarted operator to know ${size} objects`, 60_000, world.signal, () => isKnownInSync(world, application));
    seconds.push((performance.now() - started) / 1000);
    await pause(1_000);
    writes += (await requests(world)).writes;
    say(`restart with ${size} objects: ${seconds.at(-1)?.toFixed(2)} s`);
  }
  return [
    {
      ...{ name: `restart, ${size} objects: known in sync`, samples: seconds, unit: 's' },
      goal: { text: 'under 3 s', met: median(seconds) < 3 },
    },
    { name: `restart, ${size} objects: writes`, samples: [writes], unit: '', goal: { text: 'none', met: writes === 0 } },
  ];
}

async function synced(world: BenchWorld, name: string, size: number): Promise<BenchApplication> {
  const application = await prepareApplication(world, name, workload(size, 'v0'));
  await follow(world, application);
  await untilSynced(world, application, await application.repo.head());
  // The controllers of the cluster take their time with a thousand Deployments.
  const calm = `setpoint_app_info{namespace="${name}",name="bench",sync_status="Synced",health_status="Healthy"}`;
  await poll(`${name} to be healthy`, 240_000, world.signal, async () => (await metrics(world)).includes(calm));
  return application;
}

async function editAndWait(world: BenchWorld, { namespace }: BenchApplication, name: string): Promise<number> {
  const path = `/api/v1/namespaces/${namespace}/configmaps`;
  const over = new AbortController();
  const live = await world.cluster.request({ method: 'GET', path: `${path}/${name}`, doing: 'look' });
  const { resourceVersion } = live['metadata'] as { resourceVersion: string };
  const query = { watch: 'true', fieldSelector: `metadata.name=${name}`, resourceVersion };
  const lines = await world.cluster.stream({ method: 'GET', path, query, doing: 'watch', signal: over.signal });
  const undone = untilUndone(lines);
  await world.cluster.request({
    ...{ method: 'PATCH', path: `${path}/${name}`, contentType: 'application/merge-patch+json', doing: 'edit' },
    query: { fieldManager: 'kubectl-edit' },
    body: { data: { n: 'edited' } },
  });
  const edited = performance.now();
  try {
    return Math.max(0, (await undone) - edited);
  } finally {
    over.abort();
  }
}

/** Monotonic time at which a watch has shown the edit and then its undoing. */
async function untilUndone(stream: AsyncIterable<Uint8Array>): Promise<number> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of stream) {
    text += decoder.decode(chunk, { stream: true });
    const edited = text.indexOf('"n":"edited"');
    if (edited >= 0 && /"n":"\d+"/.test(text.slice(edited))) return performance.now();
  }
  throw new Error('the watch ended before the edit was undone');
}

/** Milliseconds of a server-side apply that changes one value, by a client that does nothing else. */
async function roundTrip(world: BenchWorld, { namespace }: BenchApplication, value: string): Promise<number> {
  const started = performance.now();
  await world.cluster.request({
    ...{ method: 'PATCH', path: `/api/v1/namespaces/${namespace}/configmaps/floor`, contentType: 'application/apply-patch+yaml' },
    ...{ query: { fieldManager: 'floor', force: 'true' }, doing: 'apply' },
    body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'floor' }, data: { value } },
  });
  return performance.now() - started;
}

async function metrics({ product }: BenchWorld): Promise<string> {
  const answer = await fetch(`http://${product.metricsAddress}/metrics`).catch(() => undefined);
  return answer?.ok === true ? await answer.text() : '';
}

async function isKnownInSync(world: BenchWorld, { namespace }: BenchApplication): Promise<boolean> {
  return (await metrics(world)).includes(`setpoint_app_info{namespace="${namespace}",name="bench",sync_status="Synced"`);
}

/** Requests of the running operator so far, by what they do. */
async function requests(world: BenchWorld): Promise<{ readonly reads: number; readonly writes: number; readonly watches: number }> {
  let reads = 0;
  let writes = 0;
  for (const [, method, count] of (await metrics(world)).matchAll(/^rest_client_requests_total\{[^}]*method="(\w+)"[^}]*\} (\d+)/gm)) {
    if (method === 'GET') reads += Number(count);
    else writes += Number(count);
  }
  // One watch a kind of the workload, one of Applications, those that tell of new kinds.
  return { reads, writes, watches: 10 };
}

/** Processor time of the operator's process so far. */
function cpuSeconds({ product }: BenchWorld): number {
  const fields = readFileSync(`/proc/${product.operator().pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100; // utime and stime, in ticks of 10 ms
}
