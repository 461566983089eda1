// Where the API server is and how the operator proves who it is there: kubeconfig files and in-cluster credentials. No request is made here.
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parse } from 'yaml';
import { OperatorError } from '../model/error.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../model/json.ts';

/** TLS material of a connection, in PEM. */
export interface ConnectionTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly serverName?: string;
  readonly insecure: boolean;
}

/** An API server and the operator's own credentials for it. */
export interface ClusterConnection {
  readonly server: URL;
  readonly tls: ConnectionTls;
  /** Namespace of the context, for commands that are given none; the operator does not use it. */
  readonly namespace?: string;
  /** Value of the `Authorization` header; `refresh` after the server refused the last one. Undefined with client certificates. */
  authorization(refresh: boolean): Promise<string | undefined>;
}

/** Where the kubelet mounts a ServiceAccount's token and the cluster's CA. */
export const serviceAccountFolder = '/var/run/secrets/kubernetes.io/serviceaccount';

/** How long a token read from a file is used before the file is read again (as client-go does). */
const tokenFileMilliseconds = 60_000;

/** The connection of a Pod: the mounted token, read again every minute and whenever the server refuses it. */
export async function inClusterConnection(options: {
  readonly host: string;
  readonly port: string;
  readonly folder?: string;
}): Promise<ClusterConnection> {
  const folder = options.folder ?? serviceAccountFolder;
  const namespace = await readCredential(`${folder}/namespace`).catch(() => '');
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  return {
    server: new URL(`https://${host}:${options.port}`),
    tls: { ca: await readCredential(`${folder}/ca.crt`), insecure: false },
    ...(namespace.trim() === '' ? {} : { namespace: namespace.trim() }),
    authorization: tokenFromFile(`${folder}/token`),
  };
}

/** The connection a kubeconfig describes. Several paths merge as kubectl merges them: the first that names something wins. */
export async function connectionFromKubeconfig(paths: string | readonly string[], contextName?: string): Promise<ClusterConnection> {
  const files = await Promise.all((typeof paths === 'string' ? [paths] : paths).map(readKubeconfig));
  const current = contextName ?? files.map((file) => text(file, 'current-context')).find((name) => name !== undefined);
  if (current === undefined) throw invalid('the kubeconfig has no current-context', 'name a context or set current-context');
  const context = findNamed(files, 'contexts', 'context', current);
  const cluster = findNamed(files, 'clusters', 'cluster', text(context, 'cluster') ?? '');
  const userName = text(context, 'user');
  const user = userName === undefined ? {} : findNamed(files, 'users', 'user', userName);
  const server = text(cluster, 'server');
  if (server === undefined || !URL.canParse(server))
    throw invalid(`cluster of context "${current}" has no valid server address`, 'set clusters[].cluster.server');
  if (cluster['proxy-url'] !== undefined)
    throw invalid(`cluster of context "${current}" asks for a proxy`, 'proxy-url is not supported: reach the API server directly');
  const namespace = text(context, 'namespace');
  return {
    server: new URL(server),
    ...(namespace === undefined ? {} : { namespace }),
    ...(await credentialsOf(cluster, user, userName ?? '')),
  };
}

async function credentialsOf(
  cluster: JsonObject,
  user: JsonObject,
  userName: string,
): Promise<Pick<ClusterConnection, 'tls' | 'authorization'>> {
  const [ca, cert, key] = await Promise.all([
    pem(cluster, 'certificate-authority'),
    pem(user, 'client-certificate'),
    pem(user, 'client-key'),
  ]);
  const serverName = text(cluster, 'tls-server-name');
  const tls: ConnectionTls = {
    insecure: cluster['insecure-skip-tls-verify'] === true,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(serverName === undefined ? {} : { serverName }),
  };
  if (isJsonObject(user['exec'])) return withPlugin(tls, user['exec'], userName);
  if (user['auth-provider'] !== undefined)
    throw invalid(`user "${userName}" uses an auth-provider`, 'auth-provider was removed from Kubernetes: use an exec plugin');
  const tokenFile = text(user, 'tokenFile');
  if (tokenFile !== undefined) return { tls, authorization: tokenFromFile(tokenFile) };
  const header = staticAuthorization(user);
  return { tls, authorization: () => Promise.resolve(header) };
}

function staticAuthorization(user: JsonObject): string | undefined {
  const token = text(user, 'token');
  if (token !== undefined) return `Bearer ${token}`;
  const name = text(user, 'username');
  if (name === undefined) return undefined;
  return `Basic ${Buffer.from(`${name}:${text(user, 'password') ?? ''}`).toString('base64')}`;
}

/** client-node's plugin runner is imported only here and only when asked for: its index would cost 80 MB of memory. */
async function withPlugin(
  tls: ConnectionTls,
  exec: JsonObject,
  userName: string,
): Promise<Pick<ClusterConnection, 'tls' | 'authorization'>> {
  const { ExecAuth } = await import('@kubernetes/client-node/dist/exec_auth.js');
  let plugin = new ExecAuth();
  const run = async (): Promise<{ headers?: Record<string, string>; cert?: string; key?: string }> => {
    const answer: { headers?: Record<string, string>; cert?: string; key?: string } = {};
    try {
      await plugin.applyAuthentication({ name: userName, exec }, answer);
    } catch (error) {
      throw new OperatorError(
        `run the credential plugin of user "${userName}": ${error instanceof Error ? error.message.trim() : String(error)}`,
        {
          code: 'Forbidden',
          stage: 'cluster',
          fate: 'transient',
          cause: error,
          hint: 'run the plugin by hand to see why it fails',
        },
      );
    }
    return answer;
  };
  const first = await run();
  return {
    tls: { ...tls, ...(first.cert === undefined ? {} : { cert: first.cert }), ...(first.key === undefined ? {} : { key: first.key }) },
    authorization: async (refresh) => {
      if (refresh) plugin = new ExecAuth();
      return (await run()).headers?.['Authorization'];
    },
  };
}

function tokenFromFile(path: string): (refresh: boolean) => Promise<string | undefined> {
  let header: string | undefined;
  let readAt = -Infinity;
  return async (refresh) => {
    if (header === undefined || refresh || performance.now() - readAt > tokenFileMilliseconds) {
      header = `Bearer ${(await readCredential(path)).trim()}`;
      readAt = performance.now();
    }
    return header;
  };
}

async function readKubeconfig(path: string): Promise<JsonObject> {
  let value: unknown;
  try {
    value = parse(await readFile(path, 'utf8'));
  } catch (error) {
    if (isJsonObject(error) && error['code'] === 'ENOENT')
      throw invalid(`read kubeconfig ${path}: there is no such file`, 'set KUBECONFIG or pass --kubeconfig', error);
    throw invalid(
      `read kubeconfig ${path}: ${error instanceof Error ? error.message : String(error)}`,
      'check the path and the YAML',
      error,
    );
  }
  if (!isJsonObject(value)) throw invalid(`kubeconfig ${path} is not a mapping`, 'check the YAML');
  return absolute(value, dirname(path));
}

/** The file with relative paths made absolute: they are relative to the kubeconfig that names them. */
function absolute(value: JsonObject, folder: string): JsonObject {
  const fix = (item: JsonValue | undefined, key: string): JsonValue | undefined => {
    if (Array.isArray(item)) return item.map((entry: JsonValue) => fix(entry, '') as JsonValue);
    if (isJsonObject(item)) return Object.fromEntries(Object.entries(item).map(([name, member]) => [name, fix(member, name)]));
    const isPath = ['certificate-authority', 'client-certificate', 'client-key', 'tokenFile'].includes(key);
    return isPath && typeof item === 'string' && item !== '' ? resolve(folder, item) : item;
  };
  return fix(value, '') as JsonObject;
}

function findNamed(files: readonly JsonObject[], list: string, member: string, name: string): JsonObject {
  for (const file of files) {
    const entries = file[list];
    if (!Array.isArray(entries)) continue;
    for (const entry of entries as readonly JsonValue[]) {
      if (isJsonObject(entry) && entry['name'] === name && isJsonObject(entry[member])) return entry[member];
    }
  }
  throw invalid(`the kubeconfig has no ${member} named "${name}"`, `add it under ${list}`);
}

async function pem(from: JsonObject, key: string): Promise<string | undefined> {
  const data = text(from, `${key}-data`);
  if (data !== undefined) return Buffer.from(data, 'base64').toString('utf8');
  const path = text(from, key);
  return path === undefined ? undefined : readCredential(path);
}

async function readCredential(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw invalid(`read credential file ${path}: ${error instanceof Error ? error.message : String(error)}`, 'check the path', error);
  }
}

function text(from: JsonObject, key: string): string | undefined {
  const value = from[key];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function invalid(message: string, hint: string, cause?: unknown): OperatorError {
  return new OperatorError(message, { code: 'InvalidConfiguration', stage: 'config', fate: 'terminal', hint, cause });
}
