// Control planes start side by side, keep their data, and end exactly: no process that is not theirs, none of theirs left.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { connectWithKubeconfig } from '../../dev/control-plane/api-client.ts';
import { buildControlPlane } from '../../dev/control-plane/build.ts';
import { type DevCluster, devDown, devUp } from '../../dev/control-plane/dev.ts';
import { identifyProcess, isRunning, type ProcessIdentity } from '../../dev/control-plane/process-identity.ts';
import { startControlPlane } from '../../dev/control-plane/start.ts';
import { readState, writeState } from '../../dev/control-plane/state.ts';
import { eventually } from '../support/eventually.ts';

let folder: string;

beforeAll(async () => {
  await buildControlPlane({ report: (line) => void process.stderr.write(`${line}\n`) });
}, 1_800_000);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'setpoint-dev-'));
});

afterEach(async () => {
  for (const name of readdirSync(folder)) await devDown({ directory: join(folder, name) });
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function processesOf(directory: string): ProcessIdentity[] {
  return readState(directory)?.processes.map(({ identity }) => identity) ?? [];
}

/** Creates or reads a ConfigMap named marker. */
async function marker({ kubeconfigPath }: { readonly kubeconfigPath: string }, create?: string): Promise<string | undefined> {
  const client = connectWithKubeconfig(kubeconfigPath);
  const path = '/api/v1/namespaces/default/configmaps';
  try {
    const body = { metadata: { name: 'marker' }, data: { value: create } };
    if (create) await client.json(path, { method: 'POST', body });
    const { status, text } = await client.send(`${path}/marker`);
    return status === 200 ? JSON.parse(text).data.value : undefined;
  } finally {
    await client.close();
  }
}

describe('setpoint dev', () => {
  test('runs two control planes side by side that know nothing of each other; down ends one, twice is no error, and up brings its data back', async () => {
    const [left, right] = [join(folder, 'left'), join(folder, 'right')];
    const ups: DevCluster[] = await Promise.all([left, right].map((directory) => devUp({ directory })));
    const [one, two] = ups as [DevCluster, DevCluster];
    expect(one.url).not.toBe(two.url);
    expect(await marker(one, 'left')).toBe('left');
    expect(await marker(two)).toBeUndefined();
    expect(statSync(one.kubeconfigPath).mode & 0o077).toBe(0);

    expect(await devUp({ directory: left })).toEqual({ ...one, started: false });

    const [ofLeft, ofRight] = [processesOf(left), processesOf(right)];
    expect(ofLeft).toHaveLength(5);
    expect(await devDown({ directory: left })).toBe(5);
    expect(ofLeft.filter(isRunning)).toEqual([]);
    expect(ofRight.filter(isRunning)).toHaveLength(5);
    expect(await devDown({ directory: left })).toBe(0);

    const again = await devUp({ directory: left });
    expect(again).toEqual(one);
    expect(await marker(again)).toBe('left');
  }, 120_000);

  test('down leaves a process alone that only has the pid of one of ours', async () => {
    const directory = join(folder, 'recycled');
    const stranger = spawn('sleep', ['60']);
    try {
      const identity = identifyProcess(stranger.pid ?? 0);
      await devDown({ directory });
      const recycled = { pid: identity.pid, started: `${Number(identity.started) - 1}` };
      const state = { url: 'https://127.0.0.1:1', adminToken: 'x', processes: [{ name: 'etcd', identity: recycled }] };
      mkdirSync(directory);
      writeState(directory, state);
      expect(await devDown({ directory })).toBe(0);
      expect(isRunning(identity)).toBe(true);
      writeState(directory, { ...state, processes: [{ name: 'etcd', identity }] });
      expect(await devDown({ directory })).toBe(1);
      expect(isRunning(identity)).toBe(false);
    } finally {
      stranger.kill('SIGKILL');
    }
  });

  test('down for a folder that does not exist does nothing', async () => {
    expect(await devDown({ directory: join(folder, 'absent') })).toBe(0);
    expect(readdirSync(folder)).not.toContain('absent');
  });
});

describe('a control plane inside a process', () => {
  test('survives a restart of its API server, and says which part does not start and why', async () => {
    const directory = join(folder, 'inside');
    const controlPlane = await startControlPlane({ directory, apiOnly: true });
    try {
      expect(await marker(controlPlane, 'kept')).toBe('kept');
      await controlPlane.restart('kube-apiserver');
      await controlPlane.restart('etcd');
      await eventually(async () => expect(await marker(controlPlane)).toBe('kept'));
      await expect(startControlPlane({ directory })).rejects.toThrow('one is running there');
    } finally {
      await controlPlane.stop();
    }
    expect(processesOf(directory).filter(isRunning)).toEqual([]);
    rmSync(join(directory, 'etcd'), { recursive: true });
    writeFileSync(join(directory, 'etcd'), 'not a folder');
    await expect(startControlPlane({ directory, apiOnly: true })).rejects.toThrow(/etcd ended before/);
    expect(processesOf(directory).filter(isRunning)).toEqual([]);
  }, 60_000);

  test('takes another port when somebody has the one it wants', async () => {
    const stranger = createServer();
    await new Promise<void>((done) => stranger.listen(0, '127.0.0.1', done));
    const { port } = stranger.address() as AddressInfo;
    try {
      const controlPlane = await startControlPlane({ directory: join(folder, 'collision'), apiOnly: true, port });
      expect(new URL(controlPlane.url).port).not.toBe(String(port));
      expect(await marker(controlPlane, 'here')).toBe('here');
      await controlPlane.stop();
    } finally {
      stranger.close();
    }
  }, 60_000);

  test('needs no more than etcd and an API server in the folder the user names', async () => {
    const assets = join(folder, 'assets');
    mkdirSync(assets);
    const { etcd, 'kube-apiserver': apiServer } = await buildControlPlane();
    symlinkSync(etcd, join(assets, 'etcd'));
    symlinkSync(apiServer, join(assets, 'kube-apiserver'));
    const controlPlane = await startControlPlane({ directory: join(folder, 'named'), env: { KUBEBUILDER_ASSETS: assets } });
    try {
      expect(await marker(controlPlane, 'here')).toBe('here');
      expect(processesOf(controlPlane.directory)).toHaveLength(2);
    } finally {
      await controlPlane.stop();
    }
  }, 60_000);

  test('ends with the process that started it, even by SIGKILL', async () => {
    const directory = join(folder, 'orphans');
    const script = `
      import { startControlPlane } from ${JSON.stringify(join(import.meta.dirname, '../../dev/control-plane/start.ts'))};
      await startControlPlane({ directory: ${JSON.stringify(directory)}, apiOnly: true });
      console.log('ready');
      setInterval(() => {}, 1000);`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    for await (const line of createInterface({ input: parent.stdout })) if (line === 'ready') break;
    const processes = processesOf(directory);
    expect(processes.filter(isRunning)).toHaveLength(2);
    parent.kill('SIGKILL');
    await eventually(() => expect(processes.filter(isRunning)).toEqual([]));
  }, 60_000);
});
