// Hostile and broken apps: each ends in a finding, in time, and the next app does not notice.
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { createLocalSynthesizer } from '../../operator/synth/local-synthesizer.ts';
import type { Synthesizer, SynthResult } from '../../operator/synth/ports.ts';
import { appWith, commitOf, dataOf, expectNoFindings, type Files, findingLines, names, synthesize } from './support.ts';

// a busy machine starts processes slowly
jest.setTimeout(60_000);

let synthesizer: Synthesizer;
let strict: Synthesizer;
beforeAll(() => {
  synthesizer = createLocalSynthesizer({ spares: 2, refillMilliseconds: 0 });
  strict = createLocalSynthesizer({
    spares: 2,
    refillMilliseconds: 0,
    limits: {
      milliseconds: 1_500,
      memoryMegabytes: 64,
      objects: 50,
      outputBytes: 1_000_000,
      objectBytes: 100_000,
      inputFiles: 20,
      inputBytes: 1_000_000,
    },
  });
});
afterAll(async () => {
  await synthesizer.close();
  await strict.close();
});

const run = (main: string, others: Files = {}): Promise<SynthResult> => synthesize(synthesizer, { files: { ...others, 'main.ts': main } });
const runStrictly = (main: string, others: Files = {}): Promise<SynthResult> =>
  synthesize(strict, { files: { ...others, 'main.ts': main } });
const see = async (expression: string, others: Files = {}, imports = ''): Promise<unknown> =>
  JSON.parse(
    (
      dataOf(await run(appWith(`configMap('seen', { value: JSON.stringify(${expression}) ?? 'null' });`, imports), others)) as {
        value: string;
      }
    ).value,
  );
const codes = ({ findings }: SynthResult): string[] => findings.map(({ code }) => code);

describe('time and memory', () => {
  const timeout = (place: string) => [
    `SynthTimeout ${place}the app did not end within 1.5 s; look for an endless loop or a slow regular expression`,
  ];

  test.each([
    ['S1 an endless loop', `const a = 1;\n  while (true) {}`, 'main.ts:2:3: '],
    [
      'S1 a loop in a construct of the app',
      `class A {\n  constructor() {\n    for (let i = 0; ; i++) {\n      i--;\n    }\n  }\n}\nnew A();`,
      'main.ts:4:7: ',
    ],
    [
      'S1 a loop while values are resolved',
      appWith(
        `new ApiObject(chart, 'x', { apiVersion: 'v1', kind: 'A', spec: Lazy.any({ produce: () => {\n  for (;;);\n} }) });`,
        `import { Lazy } from 'cdk8s';`,
      ),
      'main.ts:8:3: ',
    ],
    ['S1 a built-in of V8 that nothing can interrupt', 'Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1);', ''],
    ['S2 a catastrophic regular expression', `const text = 'a'.repeat(40) + '!';\n/^(a+)+$/.test(text);`, 'main.ts:2:1: '],
    ['S5 an endless chain of microtasks', 'const next = () => { queueMicrotask(next); };\nnext();', 'main.ts:1:22: '],
    ['S6 a loop in a getter of a thrown error', `throw {\n  get message() {\n    for (;;);\n  },\n};`, 'main.ts:3:5: '],
    ['S6 a loop in toString of a thrown value', `throw { toString() { for (;;); } };`, 'main.ts:1:22: '],
  ])('%s is ended in time, and its place is named', async (_, code, place) => {
    const started = performance.now();
    const result = await runStrictly(code);
    expect(findingLines(result.findings)).toEqual(timeout(place));
    expect(performance.now() - started).toBeLessThan(20_000);
  });

  test('S6 there is no registry whose callbacks could run after the end', async () => {
    expect(await see('[typeof FinalizationRegistry, typeof WeakRef]')).toEqual(['undefined', 'undefined']);
  });

  test('S7 a promise that never settles is a finding, not a wait', async () => {
    const started = performance.now();
    expect(findingLines((await run(`await new Promise(() => {});`)).findings)).toEqual([
      'SynthFailed the app awaits something that never happens; there is no network and no other process to wait for',
    ]);
    const floating = `import { App, Chart, ApiObject } from 'cdk8s';\nconst app = new App(); new ApiObject(new Chart(app, 'c'), 'o', { apiVersion: 'v1', kind: 'A' });\n(async () => { await new Promise(() => {}); app.synth(); })();`;
    expect(findingLines((await run(floating)).findings)).toEqual([
      'SynthFailed the app ended without calling app.synth(); await what the app waits for, and call app.synth() at the end',
    ]);
    expect(performance.now() - started).toBeLessThan(18_000);
  });

  test.each([
    ['S5 an endless chain of microtasks in an async function', '(async () => { for (;;) await null; })();'],
    ['S3 a heap bomb', 'const all: unknown[] = []; for (;;) all.push(new Array(1000).fill({}));'],
    ['S4 a bomb of array buffers', 'const all: unknown[] = []; for (;;) all.push(new Uint8Array(10_000_000).fill(1));'],
    [
      'S4 a bomb of strings',
      `let text = 'x'; const all: unknown[] = []; for (;;) { all.push(Array.from({ length: 1e5 }, (_, i) => text + i)); }`,
    ],
    ['S9 a size V8 itself cannot survive', `'x'.repeat(2 ** 28).split('');`],
    [
      'S9 an allocation V8 itself cannot survive',
      `const all: unknown[] = []; for (;;) all.push(new Map(Array.from({ length: 1e6 }, (_, i) => [i, { i }])));`,
    ],
  ])('%s ends the child, not the operator', async (_, code) => {
    const result = await runStrictly(code);
    expect(result.findings).toHaveLength(1);
    expect(['SynthMemory', 'SynthTimeout']).toContain(result.findings[0]?.code);
    expectNoFindings(await runStrictly(appWith(`configMap('next', {});`)));
  });

  test('S3 a heap bomb says how much memory there is', async () => {
    const result = await runStrictly('const all: unknown[] = []; for (;;) all.push(new Uint8Array(10_000_000));');
    expect(findingLines(result.findings)).toEqual([
      'SynthMemory main.ts:1:46: the app used more than 64 MB of memory; look for data that grows without end',
    ]);
  });

  test.each([
    ['S8 endless recursion', 'function f(): void { f(); }\nf();', 'SynthFailed main.ts:1:22: RangeError: Maximum call stack size exceeded'],
    [
      'S8 an object nested without end',
      appWith(
        `let deep: unknown = 1; for (let i = 0; i < 20_000; i++) deep = { deep };\nnew ApiObject(chart, 'x', { apiVersion: 'v1', kind: 'A', spec: deep });`,
      ),
      expect.stringMatching(/^SynthFailed .*Maximum call stack size exceeded/),
    ],
    [
      'S8 an object nested deeper than any manifest',
      appWith(
        `let deep: unknown = 1; for (let i = 0; i < 500; i++) deep = { deep };\nnew ApiObject(chart, 'x', { apiVersion: 'v1', kind: 'A', spec: deep });`,
      ),
      expect.stringMatching(/^InvalidObject main.ts:8:1: the object is nested too deeply$/),
    ],
  ])('%s is a finding', async (_, code, expected) => {
    expect(findingLines((await run(code)).findings)).toEqual([expected]);
  });

  test('S8 source text nested without end does not take the operator with it', async () => {
    const result = await runStrictly(`const x = ${'('.repeat(200_000)}1${')'.repeat(200_000)};`).catch((error: unknown) => error);
    expect(result).toBeDefined();
    expectNoFindings(await runStrictly(appWith(`configMap('next', {});`)));
  });
});

describe('a child that dies', () => {
  /** Kills the children of this process, as an out-of-memory killer would. */
  function killChildren(): void {
    for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
        const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
        const command = readFileSync(`/proc/${name}/cmdline`, 'utf8');
        if (parent === process.pid && /child\.cjs/.test(command)) process.kill(-Number(name), 'SIGKILL');
      } catch {
        // it ended meanwhile
      }
    }
  }
  const withKills = (kills: number) => {
    const snapshot = commitOf({ 'main.ts': appWith(`configMap('alive', {});`) });
    let reads = 0;
    return {
      ...snapshot,
      read: async (file: string) => {
        if (reads++ < kills) killChildren();
        return snapshot.read(file);
      },
    };
  };

  test('S9 is replaced once, and the synth succeeds', async () => {
    const own = createLocalSynthesizer({ blobCacheBytes: 0 });
    try {
      const result = await own.synthesize({ snapshot: withKills(1), path: '.' }, AbortSignal.timeout(30_000));
      expect(names(result)).toEqual(['ConfigMap alive']);
    } finally {
      await own.close();
    }
  });

  test('S9 twice is an error that names the commit, never an empty result', async () => {
    const own = createLocalSynthesizer({ blobCacheBytes: 0 });
    try {
      const failed = own.synthesize({ snapshot: withKills(100), path: '.' }, AbortSignal.timeout(30_000));
      await expect(failed).rejects.toMatchObject({
        code: 'SynthCrashed',
        fate: 'transient',
        message: 'synthesize . of 11111111: the synth child ended without an answer (SIGKILL)',
      });
      expectNoFindings(await synthesize(own, { files: { 'main.ts': appWith(`configMap('next', {});`) } }));
    } finally {
      await own.close();
    }
  });

  test('a synth that nobody waits for any more is ended', async () => {
    const aborted = new AbortController();
    const running = synthesizer.synthesize({ snapshot: commitOf({ 'main.ts': 'while (true) {}' }), path: '.' }, aborted.signal);
    setTimeout(() => aborted.abort(new Error('not needed')), 200);
    await expect(running).rejects.toThrow('not needed');
  });

  test('a failure of the source while a file is read is passed on as it is', async () => {
    const snapshot = {
      ...commitOf({ 'main.ts': `import './a';`, 'a.ts': '' }),
      read: async () => Promise.reject(new Error('object is corrupt')),
    };
    await expect(synthesizer.synthesize({ snapshot, path: '.' }, AbortSignal.timeout(10_000))).rejects.toThrow('object is corrupt');
  });
});

describe('output', () => {
  test('S10 a polluted prototype ends with its app', async () => {
    const pollute = `Object.prototype.polluted = 'yes'; Array.prototype.push = function () { return 0; }; JSON.stringify = () => '[]';`;
    await run(appWith(`(${pollute.replaceAll('; ', ', ').replace(/;$/, '')});`)).catch(() => undefined);
    expect(await see(`[({} as any).polluted ?? null, [].push.length]`)).toEqual([null, 1]);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  test.each([
    ['S11 an own __proto__ key in an object', `Object.defineProperty({}, '__proto__', { value: { admin: true }, enumerable: true })`],
    ['S11 an own __proto__ key deep below lists', `[{ a: [Object.defineProperty({}, '__proto__', { value: 1, enumerable: true })] }]`],
  ])('%s is refused', async (_, spec) => {
    const code = appWith(
      `class Raw extends ApiObject { toJson() { return { apiVersion: 'v1', kind: 'A', metadata: { name: 'n' }, spec: ${spec} }; } }\nnew Raw(chart, 'x', { apiVersion: 'v1', kind: 'A' });`,
    );
    expect(findingLines((await run(code)).findings)).toEqual(['InvalidObject main.ts:7:1: the object has the forbidden key "__proto__"']);
  });

  test('S11 the key constructor is an ordinary one', async () => {
    const manifest = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {constructor: x, prototype: z}\n';
    const result = await synthesize(synthesizer, { files: { 'a.yaml': manifest } });
    expect(dataOf(result)).toEqual({ constructor: 'x', prototype: 'z' });
  });

  test.each([
    [
      'S12 too many objects',
      `for (let i = 0; i < 51; i++) configMap('c' + i, {});`,
      'SynthOutputTooLarge the app produced 51 objects, more than the 50 allowed; split it into several applications',
    ],
    [
      'S12 an object larger than the API server stores',
      `configMap('c', { text: 'x'.repeat(100_001) });`,
      expect.stringMatching(
        /^SynthOutputTooLarge main.ts:6:3: the app produced an object of 100\d+ bytes, more than the 100000 the API server stores/,
      ),
    ],
    [
      'S12 too many bytes',
      `for (let i = 0; i < 15; i++) configMap('c' + i, { text: 'x'.repeat(90_000) });`,
      'SynthOutputTooLarge the app produced more than 1000000 bytes of objects; split it into several applications',
    ],
    [
      'S12 too many files read',
      `for (let i = 0; i < 30; i++) fs.readFileSync('data/' + i);`,
      expect.stringMatching(/^NotHermetic main.ts:7:\d+: the app reads more than 20 files of the commit/),
    ],
  ])('%s is refused with the number', async (_, code, expected) => {
    const data = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`data/${index}`, 'x']));
    expect(findingLines((await runStrictly(appWith(code, `import * as fs from 'fs'; fs.constants;`), data)).findings)).toEqual([expected]);
  });

  test('S12 numbers that JSON cannot express are refused', async () => {
    const result = await run(appWith(`new ApiObject(chart, 'x', { apiVersion: 'v1', kind: 'A', replicas: NaN });`));
    expect(findingLines(result.findings)).toEqual([expect.stringMatching(/^SynthFailed .*replicas is NaN, which JSON cannot express$/)]);
  });
});

describe('determinism', () => {
  test('S13 the clock stands at one instant', async () => {
    const now = '2020-01-01T00:00:00.000Z';
    expect(
      await see(
        `[new Date(), Date.now(), new Date(Date.now()).toISOString(), performance.now(), process.uptime(), new Intl.DateTimeFormat('en-GB').format(), new (Date.prototype.constructor as any)().toISOString(), Date().slice(0, 15), process.hrtime()]`,
      ),
    ).toEqual([now, Date.parse(now), now, 0, 0, '01/01/2020', now, 'Wed Jan 01 2020', [0, 0]]);
    expect(
      await see(`[new Date(5).getTime(), new Date(2021, 1, 2).toISOString(), Date.UTC(2020, 0), new Date(0) instanceof Date]`),
    ).toEqual([5, '2021-02-02T00:00:00.000Z', Date.UTC(2020, 0), true]);
  });

  test('S14 random numbers are the same each time', async () => {
    const first = await see('[Math.random(), Math.random()]');
    expect(await see('[Math.random(), Math.random()]')).toEqual(first);
    expect(new Set(first as number[]).size).toBe(2);
  });

  test('S15 locale and timezone are pinned', async () => {
    const seen = `[Intl.DateTimeFormat().resolvedOptions().timeZone, Intl.NumberFormat().resolvedOptions().locale, new Date(0).getTimezoneOffset(), (1234.5).toLocaleString(), ['ä', 'z', 'a', 'Z'].sort((x, y) => x.localeCompare(y)), new Date(0).toString()]`;
    expect(await see(seen)).toEqual([
      'UTC',
      'en-US',
      0,
      '1,234.5',
      ['a', 'ä', 'z', 'Z'],
      'Thu Jan 01 1970 00:00:00 GMT+0000 (Coordinated Universal Time)',
    ]);
  });

  test('S16 two operators with other timezones, languages and environments give the same bytes', async () => {
    const program = path.join(import.meta.dirname, 'fixtures', 'synthesize-once.ts');
    const main = appWith(
      `configMap('c', { a: new Date(86_400_000 * 200).toLocaleString(), b: String(Math.random()), c: (1e6).toLocaleString(), d: JSON.stringify(process.env), e: Object.keys({ z: 1, a: 2, 1: 3 }).join(), f: [...'zäaöoß'].sort(Intl.Collator().compare).join(''), g: Intl.DateTimeFormat().resolvedOptions().timeZone });`,
    );
    const outputOf = async (environment: NodeJS.ProcessEnv) =>
      (
        await promisify(execFile)(process.execPath, ['--hash-seed=7', program, main], {
          env: { HOME: '/tmp', PATH: '/usr/bin:/bin', ...environment },
        })
      ).stdout;
    const here = await outputOf({ TZ: 'Asia/Tokyo', LANG: 'de_DE.UTF-8', LC_ALL: 'de_DE.UTF-8', SECRET: 'a' });
    const there = await outputOf({ TZ: 'America/New_York', LANG: 'tr_TR.UTF-8', LC_ALL: 'tr_TR.UTF-8' });
    expect(here).toContain('"kind":"ConfigMap"');
    expect(there).toBe(here);
  });
});

describe('what is not there', () => {
  test('S17 nothing of the host is a global', async () => {
    const absent = [
      'process.binding',
      'process.mainModule',
      'process.dlopen',
      'process.getBuiltinModule',
      'globalThis.XMLHttpRequest',
      'globalThis.WebSocket',
      'globalThis.Worker',
      'globalThis.ivm',
      'process.env.HOME',
      'process.env.PATH',
    ];
    expect(await see(`[${absent.map((name) => `typeof (${name.replace('process.', '(process as any).')})`).join(', ')}]`)).toEqual(
      absent.map(() => 'undefined'),
    );
  });

  test('S24 there is no WebAssembly and no shared memory, by whatever way one looks', async () => {
    const absent = ['WebAssembly', 'SharedArrayBuffer', 'Atomics'];
    expect(
      await see(
        `${JSON.stringify(absent)}.map((name) => [typeof (globalThis as any)[name], typeof Function('return typeof ' + name + ' === "undefined" ? undefined : 1')(), typeof (0, eval)('this')[name]].join())`,
      ),
    ).toEqual(absent.map(() => 'undefined,undefined,undefined'));
  });

  test.each<[string, string, Files]>([
    ['S20 an absolute path', `import t from '/etc/passwd';\nconsole.log(t);`, {}],
    ['S20 an absolute path as text', `import t from '/etc/passwd' with { type: 'text' };\nconsole.log(t);`, {}],
    ['S20 a path that climbs out', `import t from '../../../../../../etc/passwd';\nconsole.log(t);`, {}],
    ['S20 a file URL', `import t from 'file:///etc/passwd';\nconsole.log(t);`, {}],
    ['S20 a data URL', `import t from 'data:text/javascript,export default 1';\nconsole.log(t);`, {}],
    ['S20 a require of an absolute path', `console.log(require('/etc/passwd'));`, {}],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the template is the app's
    ['S20 a glob import', 'const n = process.argv[9]; import(`/etc/${n}.conf`).then(console.log);', {}],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the template is the app's
    ['S20 a glob import that climbs out', 'const n = process.argv[9]; import(`../../../../etc/${n}.conf`).then(console.log);', {}],
    ['S20 a symbolic link', `import t from './link.json';\nconsole.log(t);`, { 'link.json': { kind: 'symlink' } }],
    [
      'S20 package.json whose main climbs out',
      `import t from './lib';\nconsole.log(t);`,
      { 'lib/package.json': '{"main": "../../../../etc/passwd"}' },
    ],
    [
      'S20 package.json whose exports climb out',
      `import t from './lib';\nconsole.log(t);`,
      { 'lib/package.json': '{"exports": {".": "../../../../etc/passwd"}}' },
    ],
    [
      'S20 a tsconfig whose paths climb out',
      `import t from 'secret';\nconsole.log(t);`,
      { 'tsconfig.json': '{"extends": "../../../../etc/passwd", "compilerOptions": {"paths": {"secret": ["../../../../../etc/passwd"]}}}' },
    ],
    ['S20 a browser map', `import t from './lib/a';\nconsole.log(t);`, { 'lib/package.json': '{"browser": {"./a": "/etc/passwd"}}' }],
    ['S20 fs outside the commit', `console.log(require('fs').readFileSync('/etc/passwd', 'utf8'));`, {}],
    ['S20 fs through a path that climbs out', `console.log(require('fs').readFileSync('../../../../../../etc/passwd', 'utf8'));`, {}],
    ['S20 fs through a symbolic link', `console.log(require('fs').readFileSync('link', 'utf8'));`, { link: { kind: 'symlink' } }],
  ])('%s leads nowhere and shows nothing', async (_, code, others) => {
    const result = await run(code, others);
    expect(result.objects).toEqual([]);
    expect(result.findings.length).toBeGreaterThan(0);
    expect(JSON.stringify(result)).not.toMatch(/root:|daemon|nobody/);
    for (const finding of result.findings) expect(finding.position?.file).toBe('main.ts');
  });

  test('S20 S21 source maps of the author are never read', async () => {
    const bomb = `data:application/json;base64,${Buffer.from(JSON.stringify({ version: 3, sources: ['/etc/passwd', 'secret.ts'], mappings: `AAAA${';AACA'.repeat(50)}` })).toString('base64')}`;
    const code = `${appWith(`configMap('c', {});`)}\n//# sourceMappingURL=../../../../etc/passwd\n//# sourceMappingURL=${bomb}\n`;
    const result = await run(code);
    expectNoFindings(result);
    expect(result.objects[0]?.origin.frames.map(({ file }) => file)).toEqual(['main.ts', 'main.ts']);
    expect(JSON.stringify(result)).not.toMatch(/passwd|secret/);
  });

  test('S22 messages of the bundler quote files of the commit only', async () => {
    const result = await run(`import data from './data.json';\nimport '../../etc/shadow';\nconsole.log(data);`, {
      'data.json': '{"a": nonsense}',
    });
    expect(codes(result)).toEqual(['TypeScriptSyntax', 'ImportDenied']);
    expect(result.findings.map(({ position }) => position?.file)).toEqual(['data.json', 'main.ts']);
    expect(JSON.stringify(result)).not.toContain('/work');
  });
});

describe('escapes', () => {
  /** True in the host alone: the guest's process has no V8 version and only pid 1. */
  const isHost = `(candidate) => { try { const p = candidate && (candidate.process ?? candidate); return Boolean(p && p.versions && p.versions.v8); } catch { return false; } }`;

  test.each([
    ['the constructor chain of this', `this && this.constructor.constructor('return this')()`],
    ['Function', `Function('return this')()`],
    ['an indirect eval', `(0, eval)('this')`],
    ['the constructor of an async generator', `(async function* () {}).constructor('return this')().next`],
    [
      'call sites of prepareStackTrace',
      `(() => { const old = Error.prepareStackTrace; Error.prepareStackTrace = (_, sites) => sites.map((s) => s.getThis() ?? s.getFunction()); const found = new Error().stack; Error.prepareStackTrace = old; return found.find(check); })()`,
    ],
    [
      'a thrown error of the host',
      `(() => { try { require('fs').readFileSync('nope'); } catch (e) { return e.constructor.constructor('return this')(); } })()`,
    ],
    [
      'an error of a hash of the host',
      `(() => { try { require('crypto').createHash('nope').update('a').digest('hex'); } catch (e) { return e.constructor.constructor('return this')(); } })()`,
    ],
    ['a string of the host', `require('crypto').createHash('sha1').update('a').digest('hex').constructor.constructor('return this')()`],
    ['the internals of the sandbox', `Object.values(globalThis.__setpoint).map((f) => f.constructor('return this')()).find(check)`],
    [
      'a proxy in place of a path',
      `(() => { let found; const spy = new Proxy({}, { get(_, name) { try { found = spy.caller; } catch {} return name === 'href' ? 'file:///x' : () => '/x'; } }); try { require('fs').readFileSync(spy); } catch (e) { found ??= e; } return found && found.constructor && found.constructor.constructor('return this')(); })()`,
    ],
    [
      'Symbol.species',
      `(() => { let found; class A extends Array { static get [Symbol.species]() { return function (...a) { found = this; return a; }; } } new A(1, 2).map((x) => x); return found && found.constructor.constructor('return this')(); })()`,
    ],
    [
      'a then that is called by the host',
      `(() => { let found; const thenable = { then(f) { found = f.constructor('return this')(); f(); } }; Promise.resolve(thenable); return found; })()`,
    ],
    ['an aggregate error', `new AggregateError([new Error()]).constructor.constructor('return this')()`],
    ['SuppressedError', `typeof SuppressedError === 'function' ? SuppressedError.constructor('return this')() : undefined`],
    ['a global with a with statement', `Function('with (this) { return this; }')()`],
    ['process of the module', `require('process').constructor.constructor('return this')()`],
    [
      'module and require',
      `[module, require, module.constructor, require.main].map((x) => x && x.constructor && x.constructor.constructor('return this')()).find(check)`,
    ],
    ['import.meta', `Function('return this')().process.mainModule`],
    [
      'the stack overflow of a host call',
      `(() => { let found; const f = () => { try { f(); } catch (e) { found ??= e; try { require('crypto').createHash('sha1').update('a').digest(); } catch (e2) { found = e2; } } }; f(); return found && found.constructor.constructor('return this')(); })()`,
    ],
  ])('S23 %s stays in the isolate', async (_, payload) => {
    const code = `// @ts-nocheck
import { App, Chart, ApiObject } from 'cdk8s';
const check = ${isHost};
const app = new App();
const found = ${payload};
new ApiObject(new Chart(app, 'c'), 'x', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'n' }, data: { escaped: String(check(found)), pid: String(Function('return typeof process === "object" ? process.pid : 0')()) } });
app.synth();`;
    const result = await synthesize(synthesizer, { files: { 'main.js': code } });
    expect(dataOf(result)).toEqual({ escaped: 'false', pid: '1' });
  });

  test('S23 an app that replaces the sandbox inside its isolate harms itself alone', async () => {
    const result = await run(
      `(globalThis as any).__setpoint = { run() {}, tick: () => '', finish: () => ({ toString: () => 'x' }), collect: () => 5 };`,
    );
    expect(codes(result)).toEqual(['SynthFailed']);
    expectNoFindings(await run(appWith(`configMap('next', {});`)));
  });
});

test('S26 nothing of one app is ever seen by another: not its code, its files, its globals nor its output', async () => {
  const spy = appWith(
    `configMap('seen', { globals: Object.keys(globalThis).filter((k) => k.startsWith('left')).join(), file: String(fs.existsSync('/tmp/left')), data: fs.readFileSync('data.txt', 'utf8'), lib: who });`,
    `import * as fs from 'fs'; import { who } from './lib';`,
  );
  const leave = `(globalThis as any).leftBehind = 1; fs.writeFileSync('/tmp/left', 'x'); fs.writeFileSync('data.txt', 'poisoned');\n`;
  const tenants = ['a', 'b'].map((tenant) => ({
    'main.ts': `${spy}\n${leave}`,
    'data.txt': `data of ${tenant}`,
    'lib.ts': `export const who = '${tenant}';`,
  }));
  for (const round of [0, 1, 0, 1]) {
    const result = await synthesize(synthesizer, { files: tenants[round] as Files });
    const who = round === 0 ? 'a' : 'b';
    expect(dataOf(result)).toEqual({ globals: '', file: 'false', data: `data of ${who}`, lib: who });
  }
});
