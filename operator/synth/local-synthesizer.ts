// A Synthesizer over child processes of this one. The same children serve other processes in synth-server.ts.
import { availableParallelism } from 'node:os';
import { BlobCache } from './blob-cache.ts';
import { ChildPool } from './child-pool.ts';
import { type Confinement, findJail } from './jail.ts';
import { defaultLimits } from './limits.ts';
import type { SynthLimits } from './messages.ts';
import type { Synthesizer } from './ports.ts';
import { runSynth } from './run-synth.ts';
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

/** Children and how they are confined. */
export interface Workshop {
  readonly pool: ChildPool;
  readonly confinement: Confinement;
}

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
      return runSynth(pool, request, limits, blobs, signal);
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

/** Builds the toolchain where needed and starts the first spare child. Throws OperatorError `SynthUnavailable`. */
export async function openWorkshop(options: LocalSynthesizerOptions, limits: SynthLimits): Promise<Workshop> {
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
