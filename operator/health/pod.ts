// Health of Pods that are declared by themselves.

import type { JsonObject } from '../model/json.ts';
import { conditionText, listAt, objectAt, specOf, statusOf, textAt, tryFindCondition } from './status-fields.ts';
import { degraded, type HealthRule, healthy, progressing } from './verdicts.ts';

/** Reasons of a waiting container that do not pass by themselves. */
const failures: ReadonlySet<string> = new Set([
  ...['CrashLoopBackOff', 'ImagePullBackOff', 'ErrImagePull', 'ErrImageNeverPull', 'InvalidImageName'],
  ...['CreateContainerConfigError', 'CreateContainerError', 'RunContainerError'],
]);

/** Healthy when it is ready, or when it ran to its end. */
export const assessPod: HealthRule = (object) => {
  const status = statusOf(object);
  const phase = textAt(status, 'phase');
  if (phase === 'Succeeded') return healthy('ran to its end');
  if (phase === 'Failed') return degraded(textAt(status, 'message') || textAt(status, 'reason') || 'failed');
  const failure = containersOf(status).find((container) => failures.has(textAt(waitingOf(container), 'reason')));
  if (failure !== undefined) {
    const { reason, message } = waitingOf(failure);
    return degraded(`container ${textAt(failure, 'name')}: ${reason}${typeof message === 'string' ? `: ${message}` : ''}`);
  }
  if (phase === 'Running' && textAt(specOf(object), 'restartPolicy') !== 'Always' && textAt(specOf(object), 'restartPolicy') !== '') {
    return progressing('is running and not at its end yet');
  }
  const ready = tryFindCondition(object, 'Ready');
  if (ready?.status === 'True') return healthy('is ready');
  const scheduled = tryFindCondition(object, 'PodScheduled');
  if (scheduled?.status === 'False') return progressing(`cannot be scheduled: ${conditionText(scheduled)}`);
  return progressing(ready === undefined ? 'has not started yet' : `is not ready: ${conditionText(ready)}`);
};

function containersOf(status: JsonObject): readonly JsonObject[] {
  return [...listAt(status, 'initContainerStatuses'), ...listAt(status, 'containerStatuses')];
}

function waitingOf(container: JsonObject): JsonObject {
  return objectAt(objectAt(container, 'state'), 'waiting');
}
