// A lock between processes kept as one small file. It saves double work; nothing may depend on it for correctness.
import { randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { identifyProcess, isRunning, type ProcessIdentity, parseProcess } from './process-identity.ts';

export interface FileLock {
  release(): void;
}

/** Takes the lock if nobody who is alive holds it. Returns the live holder otherwise. */
function tryLock(path: string): FileLock | ProcessIdentity {
  mkdirSync(dirname(path), { recursive: true });
  const holder = readHolder(path);
  if (holder && isRunning(holder)) return holder;
  if (holder) removeStale(path, holder);
  const mine = JSON.stringify({ ...identifyProcess(process.pid), token: randomUUID() });
  const draft = `${path}.${process.pid}-${randomUUID()}`;
  writeFileSync(draft, mine);
  try {
    linkSync(draft, path); // unlike writing, this is atomic: a reader never sees half a file
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return readHolder(path) ?? identifyProcess(process.pid);
  } finally {
    rmSync(draft, { force: true });
  }
  return {
    release() {
      if (tryRead(path) === mine) rmSync(path, { force: true });
    },
  };
}

/**
 * Waits until the lock is free and takes it.
 * @param onWait called once with the process that holds it; @throws when `signal` is aborted.
 */
export async function lockFile(path: string, onWait: (holder: ProcessIdentity) => void, signal?: AbortSignal): Promise<FileLock> {
  let told = false;
  for (;;) {
    const taken = tryLock(path);
    if ('release' in taken) return taken;
    if (!told) onWait(taken);
    told = true;
    await pause(200, undefined, signal ? { signal } : {});
  }
}

/** Two waiters may both see a dead holder: whoever moved a live lock aside by mistake puts it back. */
function removeStale(path: string, dead: ProcessIdentity): void {
  const aside = `${path}.stale-${randomUUID()}`;
  try {
    renameSync(path, aside);
  } catch {
    return; // somebody else removed it first
  }
  const moved = readHolder(aside);
  if (moved && (moved.pid !== dead.pid || moved.started !== dead.started)) {
    try {
      linkSync(aside, path);
    } catch {
      // a third process took the lock meanwhile; then two work at once, which only costs time
    }
  }
  rmSync(aside, { force: true });
}

function readHolder(path: string): ProcessIdentity | undefined {
  const text = tryRead(path);
  return text === undefined ? undefined : parseProcess(text);
}

function tryRead(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
