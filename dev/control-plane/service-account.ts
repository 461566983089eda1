// A kubeconfig with the token of a ServiceAccount: how the product runs as itself where no kubelet mounts tokens. Its rights are not made here.
import { type ApiClient, ApiRefusal, connect } from './api-client.ts';
import { readKubeconfig, writeKubeconfig } from './kubeconfig.ts';

export interface ServiceAccountKubeconfig {
  /** Kubeconfig of somebody who may create tokens for the account. */
  readonly adminKubeconfigPath: string;
  readonly namespace: string;
  readonly name: string;
  /** File to write. */
  readonly path: string;
  /** Create namespace and account when they are absent. @default false */
  readonly create?: boolean;
  /** Seconds; the server allows no less than 600. @default 86400 */
  readonly expirationSeconds?: number;
}

/**
 * Asks the server for a token of the ServiceAccount (TokenRequest, as the kubelet does) and writes a kubeconfig with it.
 * @returns the token.
 */
export async function createServiceAccountKubeconfig(options: ServiceAccountKubeconfig): Promise<string> {
  const { adminKubeconfigPath, namespace, name, path, create, expirationSeconds = 86_400 } = options;
  const admin = readKubeconfig(adminKubeconfigPath);
  const api = connect(admin);
  try {
    if (create) {
      await createUnlessPresent(api, '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
      const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } };
      await createUnlessPresent(api, `/api/v1/namespaces/${namespace}/serviceaccounts`, account);
    }
    const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds } };
    const answer = await api.json<{ status: { token: string } }>(`/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`, {
      method: 'POST',
      body,
    });
    const { token } = answer.status;
    writeKubeconfig(path, { url: admin.url, token, user: `${namespace}-${name}`, namespace, ...(admin.ca ? { ca: admin.ca } : {}) });
    return token;
  } finally {
    await api.close();
  }
}

async function createUnlessPresent(api: ApiClient, path: string, body: unknown): Promise<void> {
  await api.json(path, { method: 'POST', body }).catch((error: unknown) => {
    if (!(error instanceof ApiRefusal && error.reason === 'AlreadyExists')) throw error;
  });
}
