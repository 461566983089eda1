// Every label, annotation and finalizer with a meaning to Setpoint, and the names of its API. Nothing here acts on them.
import { createHash } from 'node:crypto';

/** API group of Setpoint's kinds. */
export const apiGroup = 'setpoint.dev';

/** `apiVersion` of Setpoint's kinds. */
export const apiVersion = 'setpoint.dev/v1alpha1';

/** Label of every object of an Application; value: {@link trackingLabelValue}. It only selects: what is owned is decided by UID in the inventory. */
export const trackingLabel = 'setpoint.dev/application';

/** Annotation of every object of an Application; value: `namespace/name` of the Application. */
export const trackingAnnotation = 'setpoint.dev/application';

/** Annotation on an object; `disabled`: never deleted by Setpoint, neither by a prune nor with its Application. */
export const pruneAnnotation = 'setpoint.dev/prune';

/** Value of {@link pruneAnnotation} that protects an object. */
export const pruneDisabled = 'disabled';

/** Annotation on an Application: any new value makes the operator look at Git and the cluster now; it comes back as `status.lastHandledReconcileAt`. */
export const reconcileRequestedAnnotation = 'setpoint.dev/reconcile-requested';

/**
 * Annotation on an Application; while it is there, nothing is synced, healed or pruned. Written by `setpoint suspend` as
 * `{"by": …, "at": …, "reason": …}`; any other text counts as a reason, and `false` as not suspended.
 */
export const suspendedAnnotation = 'setpoint.dev/suspended';

/** Namespace of Setpoint itself, unless it was installed elsewhere. */
export const defaultSystemNamespace = 'setpoint-system';

/** ConfigMap in the namespace of Setpoint; while it is there, nothing is synced, healed or pruned anywhere. Its data says `by`, `at` and `reason`. */
export const pauseConfigMap = 'setpoint-pause';

/** Finalizer on an Application, held until its objects are dealt with by `spec.deletionPolicy`. */
export const applicationFinalizer = 'setpoint.dev/finalizer';

/** Field manager of every write. */
export const fieldManager = 'setpoint';

/** Value of {@link trackingLabel}: a short hash of `namespace/name`, because label values end at 63 characters and hold no slash. */
export function trackingLabelValue(application: { readonly namespace: string; readonly name: string }): string {
  return createHash('sha256').update(`${application.namespace}/${application.name}`).digest('hex').slice(0, 16);
}
