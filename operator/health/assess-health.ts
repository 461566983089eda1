// The health of one live object, by the rule of its kind (after kstatus, sigs.k8s.io/cli-utils). How objects add up is model/health.ts's matter.
import type { Health } from '../model/health.ts';
import type { JsonObject } from '../model/json.ts';
import { groupOf } from '../model/object-ref.ts';
import { assessApiService } from './api-service.ts';
import { assessCertificateSigningRequest } from './certificate-signing-request.ts';
import { assessCronJob } from './cron-job.ts';
import { assessCustomResource } from './custom-resource.ts';
import { assessCustomResourceDefinition } from './custom-resource-definition.ts';
import { assessDaemonSet } from './daemon-set.ts';
import { assessDeployment } from './deployment.ts';
import { assessHorizontalPodAutoscaler } from './horizontal-pod-autoscaler.ts';
import { assessIngress } from './ingress.ts';
import { assessJob } from './job.ts';
import { assessNamespace } from './namespace.ts';
import { assessPersistentVolumeClaim } from './persistent-volume-claim.ts';
import { assessPod } from './pod.ts';
import { assessPodDisruptionBudget } from './pod-disruption-budget.ts';
import { assessReplicaSet } from './replica-set.ts';
import { assessService } from './service.ts';
import { assessStatefulSet } from './stateful-set.ts';
import { numberAt, objectAt, statusOf, textAt } from './status-fields.ts';
import { type HealthRule, progressing } from './verdicts.ts';

/** Rules by `group|kind`. Kinds that are not here are read as custom resources are. */
export const healthRules: Readonly<Record<string, HealthRule>> = {
  '|Namespace': assessNamespace,
  '|PersistentVolumeClaim': assessPersistentVolumeClaim,
  '|Pod': assessPod,
  '|ReplicationController': assessReplicaSet,
  '|Service': assessService,
  'apiextensions.k8s.io|CustomResourceDefinition': assessCustomResourceDefinition,
  'apiregistration.k8s.io|APIService': assessApiService,
  'apps|DaemonSet': assessDaemonSet,
  'apps|Deployment': assessDeployment,
  'apps|ReplicaSet': assessReplicaSet,
  'apps|StatefulSet': assessStatefulSet,
  'autoscaling|HorizontalPodAutoscaler': assessHorizontalPodAutoscaler,
  'batch|CronJob': assessCronJob,
  'batch|Job': assessJob,
  'certificates.k8s.io|CertificateSigningRequest': assessCertificateSigningRequest,
  'networking.k8s.io|Ingress': assessIngress,
  'policy|PodDisruptionBudget': assessPodDisruptionBudget,
};

/**
 * The health of a live object, which may be reduced to metadata, the switches of its spec and its status.
 * Guarantees: an answer for every object; one without a status is Healthy because it is there.
 */
export function assessHealth(object: JsonObject): Health {
  const metadata = objectAt(object, 'metadata');
  if (textAt(metadata, 'deletionTimestamp') !== '') return progressing('is being deleted');
  const generation = numberAt(metadata, 'generation');
  if (numberAt(statusOf(object), 'observedGeneration', generation) < generation) {
    return progressing('its controller has not seen the latest change yet');
  }
  const rule = healthRules[`${groupOf(textAt(object, 'apiVersion'))}|${textAt(object, 'kind')}`] ?? assessCustomResource;
  return rule(object);
}
