// The command line's way to look at users' objects: as the Application's ServiceAccount when the caller may impersonate it, and otherwise as the caller. Never the operator's rights.
import type { TenantIdentity } from '../model/identity.ts';
import { isJsonObject } from '../model/json.ts';
import type { OperatorClient, RestClient } from './rest-client.ts';

/** A client that acts as the caller where an operator's would impersonate. */
export function actAsCaller(client: OperatorClient): OperatorClient {
  const { request, stream } = client;
  return { ...client, impersonating: () => ({ request, stream }) };
}

/** Whether the caller may impersonate a ServiceAccount, as the API server sees it. Throws OperatorError. */
export async function mayImpersonate(client: RestClient, identity: TenantIdentity, signal: AbortSignal): Promise<boolean> {
  const { namespace, serviceAccount: name } = identity;
  const resourceAttributes = { verb: 'impersonate', resource: 'serviceaccounts', namespace, name };
  const answer = await client.request({
    method: 'POST',
    path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
    body: { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec: { resourceAttributes } },
    doing: `ask whether you may impersonate ServiceAccount ${namespace}/${name}`,
    signal,
  });
  return isJsonObject(answer['status']) && answer['status']['allowed'] === true;
}
