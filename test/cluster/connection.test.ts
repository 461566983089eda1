// Where the operator's credentials come from: kubeconfigs of every kind that clusters hand out, and the files of a Pod.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { readKubeconfig } from '../../dev/control-plane/kubeconfig.ts';
import { connectionFromKubeconfig, inClusterConnection } from '../../operator/cluster/connection.ts';
import { createRestClient } from '../../operator/cluster/rest-client.ts';
import type { OperatorEvent } from '../../operator/model/event.ts';
import { cluster, scratchDirectory, serviceAccountKubeconfig, testNamespace, uniqueName } from '../support/cluster.ts';

/** Writes a kubeconfig (JSON is YAML) with one context and returns its path. */
function kubeconfig(
  user: object,
  more: { readonly cluster?: object; readonly context?: object; readonly files?: Readonly<Record<string, string>> } = {},
): string {
  const folder = join(scratchDirectory(), uniqueName('kubeconfig'));
  mkdirSync(folder);
  for (const [name, text] of Object.entries(more.files ?? {})) writeFileSync(join(folder, name), text);
  const { url, ca } = cluster();
  const server = { server: url, 'certificate-authority-data': Buffer.from(ca ?? '').toString('base64'), ...more.cluster };
  const config = {
    'current-context': 'here',
    contexts: [{ name: 'here', context: { cluster: 'c', user: 'u', ...more.context } }],
    clusters: [{ name: 'c', cluster: server }],
    users: [{ name: 'u', user }],
  };
  const path = join(folder, 'config');
  writeFileSync(path, JSON.stringify(config));
  return path;
}

/** The name by which the API server knows whoever connects so. */
async function whoami(path: string | readonly string[], context?: string): Promise<string> {
  const client = createRestClient({ connection: await connectionFromKubeconfig(path, context) });
  try {
    const answer = await client.request({
      method: 'POST',
      path: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
      body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
      doing: 'ask who I am',
    });
    return (answer['status'] as { userInfo: { username: string } }).userInfo.username;
  } finally {
    await client.close();
  }
}

async function tenantToken(): Promise<{ readonly token: string; readonly user: string }> {
  const namespace = await testNamespace('connection');
  const { token } = readKubeconfig(await serviceAccountKubeconfig(namespace, 'somebody'));
  return { token: token ?? '', user: `system:serviceaccount:${namespace}:somebody` };
}

describe('kubeconfig', () => {
  test('a token', async () => {
    const { token, user } = await tenantToken();
    expect(await whoami(kubeconfig({ token }))).toBe(user);
  });

  test('a token in a file, named relative to the kubeconfig', async () => {
    const { token, user } = await tenantToken();
    expect(await whoami(kubeconfig({ tokenFile: 'token' }, { files: { token: `${token}\n` } }))).toBe(user);
  });

  test('a certificate authority in a file, and a server name that differs from the address', async () => {
    const { token, user } = await tenantToken();
    const more = {
      'certificate-authority-data': undefined,
      'certificate-authority': 'ca.crt',
      'tls-server-name': 'kubernetes.default.svc',
    };
    expect(await whoami(kubeconfig({ token }, { cluster: more, files: { 'ca.crt': cluster().ca ?? '' } }))).toBe(user);
  });

  test('an unknown authority is refused, unless TLS is not to be verified', async () => {
    const { token, user } = await tenantToken();
    const unknown = kubeconfig({ token }, { cluster: { 'certificate-authority-data': undefined } });
    await expect(whoami(unknown)).rejects.toMatchObject({ code: 'ApiUnreachable', message: expect.stringMatching(/certificate/) });
    expect(
      await whoami(kubeconfig({ token }, { cluster: { 'certificate-authority-data': undefined, 'insecure-skip-tls-verify': true } })),
    ).toBe(user);
  }, 90_000);

  test('a credential plugin, run again when the server refuses what it gave', async () => {
    const { token, user } = await tenantToken();
    const script = `
      const fs = require('node:fs');
      const token = fs.existsSync('STATE') ? ${JSON.stringify(token)} : 'expired';
      fs.writeFileSync('STATE', '');
      console.log(JSON.stringify({ apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status: { token } }));`;
    const state = join(scratchDirectory(), uniqueName('plugin'));
    const exec = {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: process.execPath,
      args: ['-e', script.replaceAll('STATE', state)],
      interactiveMode: 'Never',
    };
    expect(await whoami(kubeconfig({ exec }))).toBe(user);
  });

  test('several files merge: the first that names something wins', async () => {
    const [one, two] = [await tenantToken(), await tenantToken()];
    const other = kubeconfig({ token: two.token });
    expect(await whoami([kubeconfig({ token: one.token }), other])).toBe(one.user);
    expect(await whoami([other, kubeconfig({ token: one.token })], 'here')).toBe(two.user);
  });

  test('the namespace of the context is kept for the command line', async () => {
    expect(await connectionFromKubeconfig(kubeconfig({ token: 'x' }, { context: { namespace: 'shop' } }))).toMatchObject({
      namespace: 'shop',
    });
  });

  test.each<[string, () => string, string]>([
    ['a file that is not there', () => '/nowhere/kubeconfig', 'read kubeconfig /nowhere/kubeconfig: '],
    [
      'a context that is not there',
      () => kubeconfig({}, { context: { cluster: 'absent' } }),
      'the kubeconfig has no cluster named "absent"',
    ],
    ['a user that is not there', () => kubeconfig({}, { context: { user: 'absent' } }), 'the kubeconfig has no user named "absent"'],
    ['an address that is none', () => kubeconfig({}, { cluster: { server: 'nonsense' } }), 'has no valid server address'],
    ['an auth-provider', () => kubeconfig({ 'auth-provider': { name: 'gcp' } }), 'user "u" uses an auth-provider'],
    ['a proxy', () => kubeconfig({}, { cluster: { 'proxy-url': 'http://proxy:3128' } }), 'asks for a proxy'],
    ['a key file that is not there', () => kubeconfig({ 'client-key': 'absent.key' }), 'read credential file'],
  ])('%s is told, with the file or name', async (_name, path, message) => {
    await expect(connectionFromKubeconfig(path())).rejects.toMatchObject({
      code: 'InvalidConfiguration',
      fate: 'terminal',
      message: expect.stringContaining(message),
    });
  });
});

describe('in a Pod', () => {
  test('G15 a token that was rotated is read again when the server refuses the old one', async () => {
    const { token, user } = await tenantToken();
    const folder = join(scratchDirectory(), uniqueName('pod'));
    mkdirSync(folder);
    writeFileSync(join(folder, 'ca.crt'), cluster().ca ?? '');
    writeFileSync(join(folder, 'namespace'), 'setpoint-system');
    writeFileSync(join(folder, 'token'), 'expired');
    const { hostname, port } = new URL(cluster().url);
    const connection = await inClusterConnection({ host: hostname, port, folder });
    expect(connection.namespace).toBe('setpoint-system');
    const codes: number[] = [];
    const rotate = (event: OperatorEvent): void => {
      if (event.type === 'request') codes.push(event.code);
      writeFileSync(join(folder, 'token'), token);
    };
    const client = createRestClient({ connection, emit: rotate });
    const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
    const answer = await client.request({
      method: 'POST',
      path: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
      body,
      doing: 'ask who I am',
    });
    await client.close();
    expect(answer).toMatchObject({ status: { userInfo: { username: user } } });
    expect(codes).toEqual([401, 201]);
  });

  test('credentials that stay refused are told as such', async () => {
    await expect(whoami(kubeconfig({ token: 'wrong' }))).rejects.toMatchObject({
      code: 'Forbidden',
      message: expect.stringContaining("did not accept the operator's credentials"),
    });
  }, 90_000);
});
