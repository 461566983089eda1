// A real Git server on loopback, a work tree that pushes to it, and a pool of sources that may reach it, for the tests of this folder.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type GitServer, type GitServerOptions, startGitServer } from '../../dev/git-server.ts';
import { ManifestRepo } from '../../dev/manifest-repo.ts';
import type { OperatorError } from '../../operator/model/error.ts';
import type { SourcePool, SourceSpec } from '../../operator/source/ports.ts';
import type { SourcePoolOptions } from '../../operator/source/source-options.ts';
import { createSourcePool } from '../../operator/source/source-pool.ts';

/** Time as it is. */
export const realClock = {
  now: () => new Date(),
  monotonic: () => performance.now(),
  sleep: (milliseconds: number, signal?: AbortSignal) => pause(milliseconds, undefined, signal === undefined ? {} : { signal }),
};

/** Everything a test of the source stage needs. */
export interface GitWorld {
  readonly directory: string;
  readonly server: GitServer;
  /** A work tree with a remote `origin`; nothing pushed yet. */
  readonly repo: ManifestRepo;
  readonly url: string;
  /** The repository at a ref, without credentials. */
  spec(overrides?: Partial<SourceSpec>): SourceSpec;
  /** A pool that may use loopback; closed with the world. */
  pool(options?: Partial<SourcePoolOptions>): SourcePool;
  /** One fresh pool, one snapshot. */
  snapshot(overrides?: Partial<SourceSpec>, options?: Partial<SourcePoolOptions>): ReturnType<SourcePool['snapshot']>;
  close(): Promise<void>;
}

/** Starts a world of its own. */
export async function gitWorld(options: Partial<GitServerOptions> = {}): Promise<GitWorld> {
  const directory = mkdtempSync(join(tmpdir(), 'setpoint-source-'));
  const server = await startGitServer({ root: join(directory, 'server'), ...options });
  const url = await server.createRepository('app.git');
  const repo = await ManifestRepo.create({ directory: join(directory, 'work'), remote: server.repositoryPath('app.git') });
  const pools: SourcePool[] = [];
  const world: GitWorld = {
    directory,
    server,
    repo,
    url,
    spec: (overrides = {}) => ({ url, ref: 'main', credentialsId: '', requireFastForward: false, ...overrides }),
    pool: (poolOptions = {}) => {
      const pool = createSourcePool({
        clock: realClock,
        ...poolOptions,
        network: { addresses: { loopback: true }, ...poolOptions.network },
      });
      pools.push(pool);
      return pool;
    },
    snapshot: async (overrides, poolOptions) => {
      const pool = world.pool(poolOptions);
      try {
        return await pool.snapshot(world.spec(overrides), AbortSignal.timeout(20_000));
      } finally {
        await pool.close();
      }
    },
    close: async () => {
      await Promise.all(pools.map((pool) => pool.close()));
      await server.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
  return world;
}

/** The error a promise ends with. Fails the test when it does not. */
export async function errorOf(promise: Promise<unknown>): Promise<OperatorError> {
  try {
    await promise;
  } catch (error) {
    return error as OperatorError;
  }
  throw new Error('no error was thrown');
}

/** The text of a file of a snapshot. */
export function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}
