// What a tenant's namespace needs so that an Application can act there: a ServiceAccount and its rights. The operator's own rights are in charts/.
import { ApiObject, Names } from 'cdk8s';
import { Construct } from 'constructs';

/** Properties of {@link ApplicationAccess}. */
export interface ApplicationAccessProps {
  /** Namespace of the Application and, unless {@link targetNamespaces} says otherwise, of its objects. */
  readonly namespace: string;
  /** ServiceAccount that Applications of the namespace act as. @default 'setpoint-applier' */
  readonly serviceAccountName?: string;
  /** Namespaces in which it gets the ClusterRole. @default only `namespace` */
  readonly targetNamespaces?: readonly string[];
  /** ClusterRole it gets in each of them. @default 'admin' */
  readonly clusterRole?: string;
}

/** A ServiceAccount for Applications to act as, bound to a ClusterRole in its namespace. Bind it otherwise if `admin` is too much or too little. */
export class ApplicationAccess extends Construct {
  constructor(scope: Construct, id: string, props: ApplicationAccessProps) {
    super(scope, id);
    const name = props.serviceAccountName ?? 'setpoint-applier';
    new ApiObject(this, 'service-account', {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name, namespace: props.namespace },
      automountServiceAccountToken: false,
    });
    for (const namespace of props.targetNamespaces ?? [props.namespace]) {
      // Several tenants may be bound in one namespace, from charts that look the same: the name tells whose binding it is.
      const bindingName = namespace === props.namespace ? name : Names.toDnsLabel(this, { extra: [props.namespace, namespace] });
      new ApiObject(this, `binding-${namespace}`, {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'RoleBinding',
        metadata: { name: bindingName, namespace },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: props.clusterRole ?? 'admin' },
        subjects: [{ kind: 'ServiceAccount', name, namespace: props.namespace }],
      });
    }
  }
}
