// Which kinds' health is read from their status. Of all others only metadata is watched.
import { groupOf, type KindRef } from './object-ref.ts';

/** Built-in kinds whose health is read from status, as `group|kind`. */
export const kindsWithStatus: ReadonlySet<string> = new Set([
  '|Namespace',
  '|Pod',
  '|PersistentVolumeClaim',
  '|ReplicationController',
  '|Service',
  'apps|DaemonSet',
  'apps|Deployment',
  'apps|ReplicaSet',
  'apps|StatefulSet',
  'batch|CronJob',
  'batch|Job',
  'networking.k8s.io|Ingress',
  'autoscaling|HorizontalPodAutoscaler',
  'policy|PodDisruptionBudget',
  'apiextensions.k8s.io|CustomResourceDefinition',
  'apiregistration.k8s.io|APIService',
  'certificates.k8s.io|CertificateSigningRequest',
]);

/** Groups that come with Kubernetes itself; kinds of all others are custom resources. */
const builtInGroups: ReadonlySet<string> = new Set([
  '',
  'apps',
  'autoscaling',
  'batch',
  'extensions',
  'policy',
  'admissionregistration.k8s.io',
  'apiextensions.k8s.io',
  'apiregistration.k8s.io',
  'authentication.k8s.io',
  'authorization.k8s.io',
  'certificates.k8s.io',
  'coordination.k8s.io',
  'discovery.k8s.io',
  'events.k8s.io',
  'flowcontrol.apiserver.k8s.io',
  'internal.apiserver.k8s.io',
  'networking.k8s.io',
  'node.k8s.io',
  'rbac.authorization.k8s.io',
  'resource.k8s.io',
  'scheduling.k8s.io',
  'storage.k8s.io',
  'storagemigration.k8s.io',
]);

/** True when the health of a kind is read from its status: the kinds of the table and every custom resource. */
export function hasStatusHealth(kind: KindRef): boolean {
  const group = groupOf(kind.apiVersion);
  return !builtInGroups.has(group) || kindsWithStatus.has(`${group}|${kind.kind}`);
}
