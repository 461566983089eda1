// How a live object tells which Application applied it. Labels select, UIDs in the inventory decide; this only recognizes foreign claims.
import { trackingAnnotation, trackingLabel, trackingLabelValue } from '../../constructs/annotations.ts';
import { applicationKey } from './application.ts';
import type { ApplicationKey } from './event.ts';
import { isJsonObject, type JsonObject } from './json.ts';
import type { ObjectMetadata } from './manifest.ts';
import type { ObservedObject } from './observed.ts';
import { isOwnEntry } from './own-fields.ts';

/** The part of live metadata that tells an owner. */
export type OwnershipMarks = Pick<ObservedObject, 'labels' | 'annotations' | 'managedFields'>;

/**
 * The Application that applied a live object, or undefined when none did.
 * A copied label or a pasted export does not count: where managedFields tell who wrote the annotation it must have been an apply of ours,
 * and then the label, which anybody may have taken away, is not needed; where they do not tell, label and annotation must agree.
 */
export function ownerOf(observed: OwnershipMarks): ApplicationKey | undefined {
  const owner = observed.annotations[trackingAnnotation];
  const slash = owner?.indexOf('/') ?? -1;
  if (owner === undefined || slash < 1) return undefined;
  const writers = observed.managedFields.filter((entry) => ownsTrackingAnnotation(entry.fieldsV1));
  if (writers.length > 0) return writers.some(isOwnEntry) ? owner : undefined;
  const label = trackingLabelValue({ namespace: owner.slice(0, slash), name: owner.slice(slash + 1) });
  return observed.labels[trackingLabel] === label ? owner : undefined;
}

/** The Application other than `application` that owns a live object, or undefined. */
export function foreignOwnerOf(
  observed: OwnershipMarks,
  application: { readonly namespace: string; readonly name: string },
): ApplicationKey | undefined {
  return observed.annotations[trackingAnnotation] === applicationKey(application) ? undefined : ownerOf(observed);
}

/** Our label and annotation as an object declares them; empty where it does not. */
export function marksOf({ labels, annotations }: ObjectMetadata): { readonly labels: JsonObject; readonly annotations: JsonObject } {
  const label = labels?.[trackingLabel];
  const annotation = annotations?.[trackingAnnotation];
  return {
    labels: label === undefined ? {} : { [trackingLabel]: label },
    annotations: annotation === undefined ? {} : { [trackingAnnotation]: annotation },
  };
}

function ownsTrackingAnnotation(fields: JsonObject | undefined): boolean {
  const metadata = fields?.['f:metadata'];
  const annotations = isJsonObject(metadata) ? metadata['f:annotations'] : undefined;
  return isJsonObject(annotations) && annotations[`f:${trackingAnnotation}`] !== undefined;
}
