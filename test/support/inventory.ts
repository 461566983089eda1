// What an Application owns, as its Inventory objects say and as labels on live objects say: both must name the same.
import { trackingLabel, trackingLabelValue } from '../../constructs/annotations.ts';
import { admin } from './cluster.ts';

/** One entry of an inventory as it is stored. */
export interface StoredEntry {
  readonly uid: string;
  /** '' while an apply is not confirmed. */
  readonly digest: string;
  readonly revision: string;
}

/** The entries of an Application's Inventory objects, by `Kind/name`. */
export async function storedInventory(namespace: string, application: string): Promise<ReadonlyMap<string, StoredEntry>> {
  const chunks = await admin().list('setpoint.dev/v1alpha1', 'Inventory', { namespace });
  const owned = chunks.filter(({ metadata }) => metadata.ownerReferences?.some(({ name }) => name === application));
  const entries = owned.flatMap((chunk) => (chunk['entries'] as string[]).map((text) => JSON.parse(text) as Record<string, string>));
  return new Map(entries.map(({ k, n, u = '', d = '', r = '' }) => [`${k}/${n}`, { uid: u, digest: d, revision: r }]));
}

/** UIDs of the live objects of some kinds that carry an Application's label, by `Kind/name`. */
export async function labelledObjects(
  namespace: string,
  application: string,
  kinds: readonly (readonly [apiVersion: string, kind: string])[],
): Promise<ReadonlyMap<string, string>> {
  const labelSelector = `${trackingLabel}=${trackingLabelValue({ namespace, name: application })}`;
  const found = await Promise.all(kinds.map(([apiVersion, kind]) => admin().list(apiVersion, kind, { namespace, labelSelector })));
  return new Map(found.flat().map(({ kind, metadata }) => [`${kind}/${metadata.name}`, metadata.uid ?? '']));
}
