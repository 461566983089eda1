// The Node built-ins an app can import, by name. What is not in this table does not exist during synth.
import * as buffer from 'buffer';
import path from 'path-browserify';
import { assert } from './assert.ts';
import { childProcess } from './child-process.ts';
import { crypto } from './crypto.ts';
import { EventEmitter } from './events.ts';
import { util } from './formatting.ts';
import { fs, promises } from './node-fs.ts';
import { urlModule } from './url-module.ts';

const pathModule: Record<string, unknown> = { ...path, sep: '/', delimiter: ':' };
pathModule['posix'] = pathModule;
pathModule['default'] = pathModule;

const os = {
  EOL: '\n',
  tmpdir: () => '/tmp',
  homedir: () => '/home/app',
  hostname: () => 'localhost',
  platform: () => 'linux',
  type: () => 'Linux',
  arch: () => 'x64',
  release: () => '0',
  cpus: () => [],
  totalmem: () => 0,
  freemem: () => 0,
  networkInterfaces: () => ({}),
  userInfo: () => ({ username: 'app', uid: 1000, gid: 1000, shell: null, homedir: '/home/app' }),
};

const timers = {
  get setTimeout() {
    return setTimeout;
  },
  get setInterval() {
    return setInterval;
  },
  get setImmediate() {
    return setImmediate;
  },
  get clearTimeout() {
    return clearTimeout;
  },
};
const wait = <Value>(milliseconds?: number, value?: Value): Promise<Value | undefined> =>
  new Promise((resolve) => setTimeout(() => resolve(value), milliseconds));

let requireModule: (name: string) => unknown = () => undefined;

/** What `module.createRequire` hands out. */
export function setRequire(require: (name: string) => unknown): void {
  requireModule = require;
}

/** Built-ins by their name without `node:`. */
export const builtIns: Readonly<Record<string, unknown>> = {
  fs,
  'fs/promises': promises,
  path: pathModule,
  'path/posix': pathModule,
  os,
  crypto,
  child_process: childProcess,
  process,
  buffer: { ...buffer },
  url: urlModule,
  util,
  assert,
  'assert/strict': assert,
  events: Object.assign(EventEmitter, { EventEmitter }),
  timers,
  'timers/promises': { setTimeout: wait, setImmediate: (value: unknown) => wait(0, value) },
  perf_hooks: { performance: globalThis.performance },
  module: { createRequire: () => requireModule, builtinModules: [] },
};
