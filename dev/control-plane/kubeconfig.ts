// Writing and reading kubeconfig files with one cluster and one user. Merging, exec plugins and other users' files are kubectl's business.
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parse, stringify } from 'yaml';
import type { ApiCredentials } from './api-client.ts';

export interface KubeconfigContent {
  readonly url: string;
  /** PEM; left out for an address without TLS. */
  readonly ca?: string;
  readonly token: string;
  readonly user: string;
  readonly namespace?: string;
}

/** Writes a kubeconfig only its owner can read; whoever reads at the same time sees the old or the new one. */
export function writeKubeconfig(path: string, { url, ca, token, user, namespace }: KubeconfigContent): void {
  const authority = ca ? { 'certificate-authority-data': Buffer.from(ca).toString('base64') } : {};
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'setpoint-dev', cluster: { server: url, ...authority } }],
    users: [{ name: user, user: { token } }],
    contexts: [{ name: 'setpoint-dev', context: { cluster: 'setpoint-dev', user, ...(namespace ? { namespace } : {}) } }],
    'current-context': 'setpoint-dev',
  };
  writeFileSync(`${path}.new`, stringify(config), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

interface Kubeconfig {
  'current-context'?: string;
  clusters?: { name: string; cluster: Record<string, string> }[];
  users?: { name: string; user: Record<string, string> }[];
  contexts?: { name: string; context: { cluster: string; user: string } }[];
}

/**
 * Reads the credentials of the current context.
 * @throws when the file is absent or its user has neither token nor client certificate.
 */
export function readKubeconfig(path: string): ApiCredentials {
  const config = parse(readFileSync(path, 'utf8')) as Kubeconfig;
  const context = config.contexts?.find(({ name }) => name === config['current-context'])?.context;
  const cluster = config.clusters?.find(({ name }) => name === context?.cluster)?.cluster;
  const user = config.users?.find(({ name }) => name === context?.user)?.user ?? {};
  if (!cluster?.['server']) throw new Error(`read kubeconfig ${path}: its current context names no cluster with a server`);
  const material = (holder: Record<string, string>, name: string): string | undefined => {
    const inline = holder[`${name}-data`];
    if (inline) return Buffer.from(inline, 'base64').toString();
    const file = holder[name] && resolve(dirname(path), holder[name]);
    return file && existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  };
  const credentials = {
    url: cluster['server'],
    ca: material(cluster, 'certificate-authority'),
    token: user['token'],
    certificate: material(user, 'client-certificate'),
    key: material(user, 'client-key'),
  };
  if (!credentials.token && !credentials.certificate)
    throw new Error(`read kubeconfig ${path}: its user has neither a token nor a client certificate`);
  return credentials;
}
