// A Synthesizer over child processes of this one. The same children serve other processes in synth-server.ts.
import { availableParallelism } from 'node:os';
import { OperatorError } from '../model/error.ts';
import { BlobCache } from './blob-cache.ts';
import { ChildPool, type SynthChild } from './child-pool.ts';
import { type ExchangeEnd, exchange } from './exchange.ts';
import { type Confinement, findJail } from './jail.ts';
import { defaultLimits, killGraceMilliseconds } from './limits.ts';
import type { ChildRequest, SynthLimits } from './messages.ts';
import { MalformedResult, parseResult } from './parse-result.ts';
import type { Synthesizer, SynthRequest, SynthResult } from './ports.ts';
import { prepareToolchain } from './toolchain.ts';

/** How children are run; everything has a default. */
export interface LocalSynthesizerOptions {
  readonly limits?: Partial<SynthLimits>;
  /** Children kept ready. @default 1 */
  readonly spares?: number;
  /** Synths at the same time. @default number of processors */
  readonly concurrency?: number;
  /** Folder for the built toolchain. @default /var/cache/setpoint for root, else ~/.cache/setpoint */
  readonly cacheFolder?: string;
  /** @default 300 */
  readonly refillMilliseconds?: number;
  /** Bytes of files kept between synths. @default 64 MiB */
  readonly blobCacheBytes?: number;
}

/** A Synthesizer that can say how it confines what it runs. */
export interface LocalSynthesizer extends Synthesizer {
  /** Resolves when a child is ready to work. Throws OperatorError `SynthUnavailable`. */
  ready(): Promise<Confinement>;
}

/** Started children and what they were started from. */
interface Workshop {
  readonly pool: ChildPool;
  readonly confinement: Confinement;
}

const attempts = 2;

/** Starts preparing at once; the first synth waits for it. */
export function createLocalSynthesizer(options: LocalSynthesizerOptions = {}): LocalSynthesizer {
  const limits = { ...defaultLimits, ...options.limits };
  const blobs = new BlobCache(options.blobCacheBytes ?? 64 * 1_048_576);
  let workshop: Promise<Workshop> | undefined;
  const open = (): Promise<Workshop> => {
    workshop ??= openWorkshop(options, limits).catch((error: unknown) => {
      workshop = undefined;
      throw error;
    });
    return workshop;
  };
  open().catch(() => {});
  return {
    synthesize: async (request, signal) => {
      const { pool } = await open();
      return synthesize(pool, request, limits, blobs, signal);
    },
    ready: async () => {
      const { pool, confinement } = await open();
      await pool.ready();
      return confinement;
    },
    close: async () => {
      const opened = await workshop?.catch(() => undefined);
      await opened?.pool.close();
    },
  };
}

async function openWorkshop(options: LocalSynthesizerOptions, limits: SynthLimits): Promise<Workshop> {
  const { folder } = await prepareToolchain(options.cacheFolder);
  const jail = await findJail(folder, limits);
  const pool = new ChildPool({
    jail,
    toolchainFolder: folder,
    memoryMegabytes: limits.memoryMegabytes,
    spares: options.spares ?? 1,
    concurrency: options.concurrency ?? availableParallelism(),
    refillMilliseconds: options.refillMilliseconds ?? 300,
    startMilliseconds: 30_000,
  });
  return { pool, confinement: jail.confinement };
}

async function synthesize(
  pool: ChildPool,
  request: SynthRequest,
  limits: SynthLimits,
  blobs: BlobCache,
  signal: AbortSignal,
): Promise<SynthResult> {
  const { snapshot, ...rest } = request;
  const work: ChildRequest = { ...rest, limits };
  let reason = '';
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const started = performance.now();
    const outcome = await useChild(pool, (child) => runInChild(child, snapshot, work, blobs, signal), signal);
    const seconds = (performance.now() - started) / 1000;
    if (outcome.kind === 'done') return { ...outcome.result, seconds };
    reason = outcome.reason;
  }
  throw new OperatorError(`synthesize ${request.path} of ${snapshot.revision.sha.slice(0, 12)}: ${reason}`, {
    code: 'SynthCrashed',
    stage: 'synth',
    fate: 'transient',
    hint: 'if it happens again for this commit, the app makes the JavaScript engine itself fail',
  });
}

async function useChild<Result>(pool: ChildPool, work: (child: SynthChild) => Promise<Result>, signal: AbortSignal): Promise<Result> {
  let started = false;
  try {
    return await pool.use((child) => {
      started = true;
      return work(child);
    }, signal);
  } catch (error) {
    if (started || signal.aborted) throw error;
    const text = error instanceof Error ? error.message : String(error);
    throw new OperatorError(`start a synth child: ${text}`, { code: 'SynthUnavailable', stage: 'synth', fate: 'transient', cause: error });
  }
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
  signal: AbortSignal,
): Promise<ChildOutcome> {
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    child.kill();
  }, work.limits.milliseconds + killGraceMilliseconds);
  try {
    const end = await exchange(child.channel, snapshot, work, blobs, signal);
    if (end.kind === 'result') return { kind: 'done', result: parseResult(end.raw, work.limits) };
    child.kill();
    const { errors, signal: killedBy } = await child.ended;
    return timedOut ? done(timeFinding(work.limits), end.asked) : explainEnd(end, errors, killedBy, work.limits);
  } catch (error) {
    if (error instanceof MalformedResult) return { kind: 'crashed', reason: error.message };
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

function explainEnd(
  end: Exclude<ExchangeEnd, { kind: 'result' }>,
  errors: string,
  killedBy: string | null,
  limits: SynthLimits,
): ChildOutcome {
  if (
    /heap out of memory|allocation failed|out of memory|cannot allocate/i.test(errors) ||
    (end.kind === 'failure' && /memory|allocation/i.test(end.text))
  ) {
    return done(
      {
        code: 'SynthMemory',
        severity: 'error',
        message: `the app used more than ${limits.memoryMegabytes} MB of memory`,
        hint: 'look for data that grows without end',
      },
      end.asked,
    );
  }
  if (killedBy === 'SIGXCPU') return done(timeFinding(limits), end.asked);
  switch (end.kind) {
    case 'failure':
      return { kind: 'crashed', reason: `the synth child failed: ${end.text.split('\n')[0]}` };
    case 'broken':
      return { kind: 'crashed', reason: `the synth child sent something wrong: ${end.reason}` };
    case 'closed':
      return { kind: 'crashed', reason: `the synth child ended without an answer${killedBy === null ? '' : ` (${killedBy})`}` };
  }
}

function timeFinding({ milliseconds }: SynthLimits): SynthResult['findings'][number] {
  return {
    code: 'SynthTimeout',
    severity: 'error',
    message: `the app did not end within ${milliseconds / 1000} s`,
    hint: 'look for an endless loop or a slow regular expression',
  };
}

function done(finding: SynthResult['findings'][number], asked: ReadonlySet<string>): ChildOutcome {
  return { kind: 'done', result: { objects: [], findings: [finding], filesRead: [...asked].sort() } };
}
