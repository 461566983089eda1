// What the operator itself may do, and what Setpoint adds to the cluster's view, edit and admin roles. Rights on users' objects are not here: those are the tenant's, impersonated.
import { Chart, type ChartProps } from 'cdk8s';
import { k8s } from 'cdk8s-plus-28';
import type { Construct } from 'constructs';
import { apiGroup, pauseConfigMap } from '../constructs/annotations.ts';
import { operatorName, synthKeySecret, systemNamespace } from './names.ts';

const clusterRules: k8s.PolicyRule[] = [
  { apiGroups: [apiGroup], resources: ['applications'], verbs: ['get', 'list', 'watch', 'update', 'patch'] },
  { apiGroups: [apiGroup], resources: ['applications/status', 'applications/finalizers'], verbs: ['update', 'patch'] },
  {
    apiGroups: [apiGroup],
    resources: ['inventories'],
    verbs: ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'deletecollection'],
  },
  // Every write of a user's object, and every read of its values, is made as the Application's ServiceAccount. Users and groups cannot be
  // impersonated, so nobody's rights but those of a ServiceAccount can be borrowed.
  { apiGroups: [''], resources: ['serviceaccounts'], verbs: ['impersonate'] },
  // Drift is seen by watches on the metadata of whatever kinds users declare, unknown in advance. RBAC knows no verb for "metadata only": with
  // this rule the operator could read Secrets' values. It never asks for them: kinds are watched as PartialObjectMetadata, values are read impersonated.
  { apiGroups: ['*'], resources: ['*'], verbs: ['get', 'list', 'watch'] },
  { apiGroups: ['', 'events.k8s.io'], resources: ['events'], verbs: ['create', 'patch'] },
  { nonResourceUrLs: ['/api', '/api/*', '/apis', '/apis/*', '/openapi/v3', '/openapi/v3/*', '/version'], verbs: ['get'] },
];

const namespaceRules: k8s.PolicyRule[] = [
  // Whether a person has paused everything.
  { apiGroups: [''], resources: ['configmaps'], resourceNames: [pauseConfigMap], verbs: ['get', 'list', 'watch'] },
  // Creating cannot be limited to a name; reading and changing can.
  { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['create'] },
  { apiGroups: ['coordination.k8s.io'], resources: ['leases'], resourceNames: [operatorName], verbs: ['get', 'list', 'watch', 'update'] },
  { apiGroups: [''], resources: ['secrets'], verbs: ['create'] },
  { apiGroups: [''], resources: ['secrets'], resourceNames: [synthKeySecret], verbs: ['get', 'update', 'patch'] },
];

/** Roles and bindings. */
export class AccessRules extends Chart {
  constructor(scope: Construct, id: string, props: ChartProps) {
    super(scope, id, props);
    this.grantOperator();
    this.extendUserRoles();
  }

  private grantOperator(): void {
    const subjects = [{ kind: 'ServiceAccount', name: operatorName, namespace: systemNamespace }];
    const metadata = { name: operatorName };
    const inSystemNamespace = { name: operatorName, namespace: systemNamespace };
    const apiGroup = 'rbac.authorization.k8s.io';
    new k8s.KubeClusterRole(this, 'operator', { metadata, rules: clusterRules });
    new k8s.KubeClusterRoleBinding(this, 'operator-binding', {
      metadata,
      roleRef: { apiGroup, kind: 'ClusterRole', name: operatorName },
      subjects,
    });
    new k8s.KubeRole(this, 'operator-own-namespace', { metadata: inSystemNamespace, rules: namespaceRules });
    new k8s.KubeRoleBinding(this, 'operator-own-namespace-binding', {
      metadata: inSystemNamespace,
      roleRef: { apiGroup, kind: 'Role', name: operatorName },
      subjects,
    });
  }

  /** Who may view or edit a namespace may view or edit its Applications: an Application can do no more than the namespace's ServiceAccounts, which editors may use anyway. */
  private extendUserRoles(): void {
    const aggregateTo = (...roles: string[]) =>
      Object.fromEntries(roles.map((role) => [`rbac.authorization.k8s.io/aggregate-to-${role}`, 'true']));
    new k8s.KubeClusterRole(this, 'view', {
      metadata: { name: 'setpoint-view', labels: aggregateTo('view') },
      rules: [{ apiGroups: [apiGroup], resources: ['applications'], verbs: ['get', 'list', 'watch'] }],
    });
    new k8s.KubeClusterRole(this, 'edit', {
      metadata: { name: 'setpoint-edit', labels: aggregateTo('edit', 'admin') },
      rules: [{ apiGroups: [apiGroup], resources: ['applications'], verbs: ['create', 'update', 'patch', 'delete', 'deletecollection'] }],
    });
  }
}
