// Synth alone, warm: a commit's files in memory to objects with origin, in the jailed child, beside the plain cdk8s command.
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Snapshot } from '../operator/model/snapshot.ts';
import { openSynthesizer } from '../operator/synth/open-synthesizer.ts';
import { runCdk8s } from './peer.ts';
import { type Measure, median } from './report.ts';
import { plusWorkload, type RepoFiles, workload } from './workload.ts';

/** Warm synth of 30 objects of cdk8s-plus and of 5,000 plain ones. */
export async function measureSynth(samples: number, say: (text: string) => void): Promise<Measure[]> {
  const small = await measureOne('synth, 30 objects', plusWorkload(), samples, 60, say);
  const large = await measureOne('synth, 5,000 objects', workload(5000, 'v0'), samples, 500, say);
  return [small, large];
}

async function measureOne(name: string, files: RepoFiles, samples: number, goal: number, say: (text: string) => void): Promise<Measure> {
  say(name);
  const synthesizer = await openSynthesizer();
  const own: number[] = [];
  try {
    for (let sample = 0; sample <= samples; sample++) {
      const snapshot = snapshotOf(files, sample);
      await pause(1000); // commits of one application come no faster; meanwhile the next child gets warm
      await synthesizer.ready();
      const started = performance.now();
      const { objects, findings } = await synthesizer.synthesize({ snapshot, path: '.' }, AbortSignal.timeout(60_000));
      if (objects.length === 0 || findings.length > 0) throw new Error(`${name}: ${JSON.stringify(findings.slice(0, 3))}`);
      if (sample > 0) own.push(performance.now() - started);
    }
  } finally {
    await synthesizer.close();
  }
  const against = { name: 'cdk8s synth', samples: [await runPlain(files)] };
  return { name, samples: own, unit: 'ms', against, goal: { text: `under ${goal} ms`, met: median(own) < goal } };
}

async function runPlain(files: RepoFiles): Promise<number> {
  const directory = mkdtempSync(path.join(tmpdir(), 'setpoint-bench-synth-'));
  try {
    return await runCdk8s(directory, files);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** A commit whose files differ a little each time, so that nothing can be remembered. */
function snapshotOf(files: RepoFiles, sample: number): Snapshot {
  const changed: RepoFiles = { ...files, 'main.ts': `${files['main.ts']}\n// ${sample}\n` };
  const oidOf = (text: string): string => createHash('sha1').update(text).digest('hex');
  const names = Object.keys(changed).sort();
  return {
    revision: {
      sha: oidOf(String(sample)),
      author: 'a',
      authorEmail: 'a@example.com',
      committer: 'a',
      date: '2026-01-01T00:00:00Z',
      subject: 's',
      parents: [],
    },
    ref: 'refs/heads/main',
    entries: new Map(names.map((name) => [name, { oid: oidOf(changed[name] ?? ''), kind: 'file' as const }])),
    read: async (name) => Buffer.from(changed[name] ?? ''),
  };
}
