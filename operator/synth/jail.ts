// How a synth child is confined: which of the system's tools surround it. Tries the strictest arrangement first and says what it got.
import { execFile } from 'node:child_process';
import { accessSync, constants, copyFileSync, existsSync, linkSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import type { SynthLimits } from './messages.ts';
import { readableByOthers } from './toolchain.ts';

/** What surrounds a child, for the log and for people. */
export interface Confinement {
  /** It has a network of its own, with nothing in it. */
  readonly ownNetwork: boolean;
  /** It runs as a user that owns nothing, other than the operator's. */
  readonly otherUser: boolean;
  /** It sees no other process, and none of its own survives it. */
  readonly ownProcesses: boolean;
  /** The kernel limits its time, files and threads. */
  readonly resourceLimits: boolean;
  /** One sentence: what is missing and why, or that nothing is. */
  readonly summary: string;
}

/** Makes the command line of one child. */
export interface Jail {
  readonly confinement: Confinement;
  command(program: readonly string[]): { readonly file: string; readonly parameters: readonly string[] };
}

type Layer = 'network' | 'user' | 'user-namespace' | 'processes' | 'limits';

/** Strictest first. A user namespace gives an ordinary user the right to the others. */
const arrangements: readonly (readonly Layer[])[] = [
  ['network', 'processes', 'user', 'limits'],
  ['network', 'user', 'limits'],
  ['user', 'limits'],
  ['user-namespace', 'network', 'processes', 'limits'],
  ['user-namespace', 'network', 'limits'],
  ['limits'],
];
const toolFolders = ['/usr/bin', '/bin', '/usr/sbin', '/sbin'];
/** Users nobody else has: children of one host differ, so that none can reach into another. */
const firstUser = 61_184;
const userCount = 4_000;
let nextUser = Math.floor(Math.random() * userCount);

/** The strictest jail this machine allows for programs in `folder`. */
export async function findJail(folder: string, limits: SynthLimits): Promise<Jail> {
  const isRoot = process.getuid?.() === 0;
  if (process.platform === 'linux') {
    const node = nodeFor(folder, isRoot);
    for (const layers of arrangements) {
      if (layers.includes('user') && !(isRoot && node.readable)) continue;
      const jailWith = (idleBytes: number): Jail | undefined =>
        jailOf(layers, node.program, limitsOf(limits, layers.includes('user'), idleBytes), node.problem);
      const roomy = jailWith(manyBytes);
      const idleBytes = roomy === undefined ? undefined : await idleBytesOf(roomy, folder);
      const jail = idleBytes === undefined ? undefined : jailWith(idleBytes);
      if (jail !== undefined) return jail;
    }
  }
  const summary = 'synth children are not confined: this system has neither namespaces nor resource limits';
  const confinement = { ownNetwork: false, otherUser: false, ownProcesses: false, resourceLimits: false, summary };
  return { confinement, command: (program) => ({ file: process.execPath, parameters: program }) };
}

/** A Node the other user can run: this one, or a link or copy of it in the toolchain. */
function nodeFor(folder: string, isRoot: boolean): { program: string; readable: boolean; problem?: string } {
  if (!isRoot || readableByOthers(process.execPath)) return { program: process.execPath, readable: isRoot && readableByOthers(folder) };
  if (!readableByOthers(folder)) {
    return { program: process.execPath, readable: false, problem: `other users cannot read ${folder}` };
  }
  const copy = path.join(folder, `node-${process.version}`);
  try {
    if (!existsSync(copy)) {
      try {
        linkSync(process.execPath, copy);
      } catch {
        copyFileSync(process.execPath, copy, constants.COPYFILE_FICLONE);
      }
    }
    return { program: copy, readable: true };
  } catch {
    return { program: process.execPath, readable: false, problem: `other users cannot run ${process.execPath}` };
  }
}

function jailOf(layers: readonly Layer[], node: string, limitOptions: readonly string[], problem: string | undefined): Jail | undefined {
  const has = (layer: Layer): boolean => layers.includes(layer);
  const [unshare, setpriv, prlimit] = ['unshare', 'setpriv', 'prlimit'].map(findTool);
  if ((has('network') && unshare === undefined) || setpriv === undefined || (has('limits') && prlimit === undefined)) return undefined;
  const namespaces = [
    ...(has('user-namespace') ? ['--user', '--map-current-user'] : []),
    ...(has('network') ? ['--net', '--ipc'] : []),
    ...(has('processes') ? ['--pid', '--fork', '--kill-child=KILL', '--mount', '--mount-proc'] : []),
  ];
  const confinement: Confinement = {
    ownNetwork: has('network'),
    otherUser: has('user'),
    ownProcesses: has('processes'),
    resourceLimits: true,
    summary: summarize(layers, problem),
  };
  return {
    confinement,
    command: (program) => {
      const user = String(firstUser + (nextUser++ % userCount));
      const words = [
        ...(namespaces.length > 0 ? [unshare as string, ...namespaces, '--'] : []),
        setpriv,
        '--no-new-privs',
        ...(has('user') ? ['--reuid', user, '--regid', user, '--clear-groups', '--bounding-set=-all', '--inh-caps=-all'] : []),
        '--',
        prlimit as string,
        ...limitOptions,
        '--',
        node,
        ...program,
      ];
      return { file: words[0] as string, parameters: words.slice(1) };
    },
  };
}

/** Backstops behind the parent's clock and the isolate's own limit: CPU seconds, no files, no core, few descriptors, bounded data. */
function limitsOf({ milliseconds, memoryMegabytes }: SynthLimits, ownUser: boolean, idleBytes: number): string[] {
  const cpuSeconds = Math.ceil((milliseconds / 1000) * 4) + 10;
  const dataBytes = idleBytes + Math.ceil(memoryMegabytes * 1.5 + 256) * 1_048_576;
  return [`--cpu=${cpuSeconds}`, '--fsize=0', '--core=0', '--nofile=64', `--data=${dataBytes}`, ...(ownUser ? ['--nproc=128'] : [])];
}

function summarize(layers: readonly Layer[], problem: string | undefined): string {
  const missing = [
    ...(layers.includes('network') ? [] : ['a network of their own']),
    ...(layers.includes('user') ? [] : ['another user']),
    ...(layers.includes('processes') ? [] : ['a process tree of their own']),
  ];
  if (missing.length === 0) return 'synth children have no network, no environment, another user, and limits on time, memory and files';
  return `synth children run without ${missing.join(', ')}: ${problem ?? 'the system does not allow it to this user'}`;
}

function findTool(name: string): string | undefined {
  return toolFolders.map((folder) => path.join(folder, name)).find((file) => isExecutable(file));
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Reads what a child reads, then says how much writable memory Node has set aside for its one isolate. */
const trial = `const fs = require('node:fs'); for (const name of fs.readdirSync(process.argv[1])) fs.accessSync(process.argv[1] + '/' + name, fs.constants.R_OK);
console.log(/VmData:\\s+(\\d+) kB/.exec(fs.readFileSync('/proc/self/status', 'utf8'))[1])`;
const manyBytes = 64 * 1_073_741_824;

/** Bytes that a child has set aside before it does anything, two isolates of it; undefined when it cannot even start. */
async function idleBytesOf(jail: Jail, folder: string): Promise<number | undefined> {
  const { file, parameters } = jail.command(['-e', trial, folder]);
  try {
    const { stdout } = await promisify(execFile)(file, [...parameters], { env: {}, cwd: '/', timeout: 10_000 });
    return Number(stdout) * 1024 * 2;
  } catch {
    return undefined;
  }
}
