// What a tenant's namespace needs before an Application can act in it. Used by demo and tests; a person may bind rights otherwise.
import { App, Chart } from 'cdk8s';
import { k8s } from 'cdk8s-plus-28';
import { ApplicationAccess, type ApplicationAccessProps } from '../constructs/application-access.ts';
import type { JsonObject } from '../constructs/json-schema.ts';

/** The namespace, the ServiceAccount `setpoint-applier` (or the one named) and its RoleBinding, in the order in which they can be applied. */
export function tenantManifests(props: ApplicationAccessProps): readonly JsonObject[] {
  const chart = new Chart(new App(), 'tenant');
  const namespace = new k8s.KubeNamespace(chart, 'namespace', { metadata: { name: props.namespace } });
  const access = new ApplicationAccess(chart, 'access', props);
  access.node.addDependency(namespace);
  return chart.toJson() as readonly JsonObject[];
}
