// One synth with whoever lends a child: gives it the work, understands how it ended, and tries once more when the child itself broke.

import { OperatorError } from '../model/error.ts';
import type { Finding } from '../model/finding.ts';
import type { BlobCache } from './blob-cache.ts';
import type { ChildEnd, ChildLender, SynthChild } from './child-pool.ts';
import { type ExchangeEnd, exchange } from './exchange.ts';
import { killGraceMilliseconds } from './limits.ts';
import type { ChildRequest, SynthLimits } from './messages.ts';
import { MalformedResult, parseResult } from './parse-result.ts';
import type { SynthRequest, SynthResult } from './ports.ts';

const attempts = 2;

/** Throws OperatorError `SynthCrashed` when two children in a row ended without a result. */
export async function runSynth(
  lender: ChildLender,
  request: SynthRequest,
  limits: SynthLimits,
  blobs: BlobCache,
  signal: AbortSignal,
): Promise<SynthResult> {
  const { snapshot, previous, ...rest } = request;
  const work: ChildRequest = { ...rest, limits };
  const time = limits.milliseconds + killGraceMilliseconds;
  let reason = '';
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const started = performance.now();
    const outcome = await lender.use((child) => runInChild(child, snapshot, work, blobs, previous, signal), time, signal);
    const seconds = (performance.now() - started) / 1000;
    if (outcome.kind === 'done') return { ...outcome.result, seconds };
    reason = outcome.reason;
  }
  throw new OperatorError(`synthesize ${request.path} of ${snapshot.revision.sha.slice(0, 8)}: ${reason}`, {
    code: 'SynthCrashed',
    stage: 'synth',
    fate: 'transient',
    hint: 'if it happens again for this commit, the app makes the JavaScript engine itself fail',
  });
}

/** What one child made of it. */
type ChildOutcome =
  | { readonly kind: 'done'; readonly result: Omit<SynthResult, 'seconds'> }
  | { readonly kind: 'crashed'; readonly reason: string };

async function runInChild(
  child: SynthChild,
  snapshot: SynthRequest['snapshot'],
  work: ChildRequest,
  blobs: BlobCache,
  previous: SynthRequest['previous'],
  signal: AbortSignal,
): Promise<ChildOutcome> {
  const end = await exchange(child.channel, snapshot, work, blobs, signal);
  if (end.kind !== 'result') {
    child.kill();
    const childEnd = end.kind === 'closed' && end.end !== undefined ? end.end : await child.ended;
    return explainEnd(end, childEnd, work.limits);
  }
  try {
    return { kind: 'done', result: parseResult(end.raw, work.limits, previous) };
  } catch (error) {
    if (error instanceof MalformedResult) return { kind: 'crashed', reason: `the synth child sent something wrong: ${error.message}` };
    throw error;
  }
}

/** What V8, the C++ library and the kernel say when there is no more. */
const outOfMemory =
  /out of memory|allocation failed|cannot allocate|memory limit|Last few GCs|bad_alloc|OOM|invalid size error|temporarily unavailable/i;

function explainEnd(end: Exclude<ExchangeEnd, { kind: 'result' }>, child: ChildEnd, limits: SynthLimits): ChildOutcome {
  if (child.timedOut || child.signal === 'SIGXCPU') return done(timeFinding(limits), end.asked);
  if (outOfMemory.test(child.errors) || (end.kind === 'failure' && outOfMemory.test(end.text)))
    return done(memoryFinding(limits), end.asked);
  switch (end.kind) {
    case 'failure':
      return { kind: 'crashed', reason: `the synth child failed: ${end.text.split('\n')[0]}` };
    case 'broken':
      return { kind: 'crashed', reason: `the synth child sent something wrong: ${end.reason}` };
    case 'closed':
      return { kind: 'crashed', reason: `the synth child ended without an answer${child.signal === null ? '' : ` (${child.signal})`}` };
  }
}

function memoryFinding({ memoryMegabytes }: SynthLimits): Finding {
  const message = `the app used more than ${memoryMegabytes} MB of memory`;
  return { code: 'SynthMemory', severity: 'error', message, hint: 'look for data that grows without end' };
}

function timeFinding({ milliseconds }: SynthLimits): Finding {
  const message = `the app did not end within ${milliseconds / 1000} s`;
  return { code: 'SynthTimeout', severity: 'error', message, hint: 'look for an endless loop or a slow regular expression' };
}

/** What the child asked for before it ended is what the finding depends on. */
function done(finding: Finding, asked: ReadonlySet<string>): ChildOutcome {
  return { kind: 'done', result: { objects: [], findings: [finding], filesRead: [...asked].sort() } };
}
