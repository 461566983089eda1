// The order of kinds within a sync: phases (a barrier between them) and ranks inside a phase. Dependencies between constructs come first; see order-steps.ts.
import { groupOf, type KindRef } from '../model/object-ref.ts';

/**
 * Kinds by phase, in order of rank; kinds not listed belong to the `workloads` phase, after all that are.
 * A phase ends before the next begins: what is needed for a request to be accepted, then what workloads read when they start, then the
 * workloads, then what intercepts other people's requests.
 */
const phases: readonly (readonly string[])[] = [
  ['|Namespace', 'apiextensions.k8s.io|CustomResourceDefinition'],
  [
    '|ResourceQuota',
    '|LimitRange',
    'scheduling.k8s.io|PriorityClass',
    'node.k8s.io|RuntimeClass',
    '|ServiceAccount',
    'rbac.authorization.k8s.io|ClusterRole',
    'rbac.authorization.k8s.io|Role',
    'rbac.authorization.k8s.io|ClusterRoleBinding',
    'rbac.authorization.k8s.io|RoleBinding',
    'networking.k8s.io|NetworkPolicy',
    '|Secret',
    '|ConfigMap',
    'storage.k8s.io|CSIDriver',
    'storage.k8s.io|StorageClass',
    'storage.k8s.io|VolumeAttributesClass',
    '|PersistentVolume',
    '|PersistentVolumeClaim',
    'networking.k8s.io|IngressClass',
  ],
  [
    '|Service',
    'discovery.k8s.io|EndpointSlice',
    'policy|PodDisruptionBudget',
    'apps|DaemonSet',
    'apps|StatefulSet',
    'apps|Deployment',
    'apps|ReplicaSet',
    '|ReplicationController',
    '|Pod',
    'batch|Job',
    'batch|CronJob',
    'autoscaling|HorizontalPodAutoscaler',
    'networking.k8s.io|Ingress',
  ],
  [
    'apiregistration.k8s.io|APIService',
    'admissionregistration.k8s.io|ValidatingAdmissionPolicy',
    'admissionregistration.k8s.io|MutatingAdmissionPolicy',
    'admissionregistration.k8s.io|ValidatingAdmissionPolicyBinding',
    'admissionregistration.k8s.io|MutatingAdmissionPolicyBinding',
    'admissionregistration.k8s.io|MutatingWebhookConfiguration',
    'admissionregistration.k8s.io|ValidatingWebhookConfiguration',
  ],
];

const workloads = 2;

const places: ReadonlyMap<string, KindPlace> = new Map(
  phases.flatMap((kinds, phase) => kinds.map((kind, rank): [string, KindPlace] => [kind, { phase, rank }])),
);

const unlisted: KindPlace = { phase: workloads, rank: Number.MAX_SAFE_INTEGER };

/** Where a kind stands in the order of a sync. */
export interface KindPlace {
  readonly phase: number;
  readonly rank: number;
}

/** Whether a kind has a place of its own: those that have none are mostly custom resources. */
export function isListed(kind: KindRef): boolean {
  return placeOf(kind) !== unlisted;
}

/** The place of a kind, whatever version of its group it is written in. */
export function placeOf(kind: KindRef): KindPlace {
  return places.get(`${groupOf(kind.apiVersion)}|${kind.kind}`) ?? unlisted;
}
