// Whom a write acts as. The type cannot be made without a user, so an empty identity is an error, never the operator's own rights.
import { OperatorError } from './error.ts';

/** The identity impersonated for every write, and every read of values, of one Application's objects. */
export interface TenantIdentity {
  /** `system:serviceaccount:<namespace>:<name>`. */
  readonly user: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly [checked]: true;
}
declare const checked: unique symbol;

/** ServiceAccount used when an Application names none. */
export const defaultServiceAccount = 'setpoint-applier';

/**
 * The identity of an Application: always a ServiceAccount of the Application's own namespace.
 * Throws OperatorError `ImpersonationRequired` for an empty or malformed name or namespace.
 */
export function tenantIdentity(namespace: string, serviceAccountName: string | undefined): TenantIdentity {
  const serviceAccount = serviceAccountName ?? defaultServiceAccount;
  const label = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;
  if (!label.test(namespace) || !label.test(serviceAccount)) {
    throw new OperatorError(`no identity to act as: ServiceAccount "${serviceAccount}" in namespace "${namespace}" is not a valid name`, {
      code: 'ImpersonationRequired',
      stage: 'apply',
      fate: 'terminal',
      hint: "set spec.serviceAccountName to a ServiceAccount of the Application's namespace",
    });
  }
  return { user: `system:serviceaccount:${namespace}:${serviceAccount}`, namespace, serviceAccount } as TenantIdentity;
}
