// What is known of a control plane outside the process that started it: state.json in its directory.
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FILES } from './parts.ts';
import type { ProcessIdentity } from './process-identity.ts';

export interface ControlPlaneState {
  readonly url: string;
  readonly adminToken: string;
  readonly processes: readonly { readonly name: string; readonly identity: ProcessIdentity }[];
}

/** Undefined when there is none. @throws when the file is not ours, rather than starting over other people's files. */
export function readState(directory: string): ControlPlaneState | undefined {
  const path = join(directory, FILES.state);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const state = JSON.parse(text) as Partial<ControlPlaneState>;
  if (!state.url || !state.adminToken || !Array.isArray(state.processes))
    throw new Error(`read ${path}: this is not the state of a control plane`);
  return state as ControlPlaneState;
}

export function writeState(directory: string, state: ControlPlaneState): void {
  const path = join(directory, FILES.state);
  writeFileSync(`${path}.new`, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/** Notes that nothing runs any more; the address stays, so that the next start takes the same one if it can. */
export function clearProcesses(directory: string): void {
  const state = readState(directory);
  if (state) writeState(directory, { ...state, processes: [] });
}
