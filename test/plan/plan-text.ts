// Plans as text a person would recognize, and the small worlds they are made from. No assertions here.
import { trackingAnnotation, trackingLabel, trackingLabelValue } from '../../constructs/annotations.ts';
import type { InventoryEntry } from '../../operator/model/inventory.ts';
import type { JsonObject } from '../../operator/model/json.ts';
import { digestOf, type KubeObject, type Manifest } from '../../operator/model/manifest.ts';
import { formatRef, keyOf, type ObjectKey, type ObjectRef } from '../../operator/model/object-ref.ts';
import type { ObservedObject } from '../../operator/model/observed.ts';
import type { Plan } from '../../operator/model/plan.ts';
import type { PlanRequest } from '../../operator/plan/ports.ts';

/** The Application that all plans here belong to. */
export const shop = { namespace: 'team', name: 'shop' };

const apiVersions: Readonly<Record<string, string>> = {
  Deployment: 'apps/v1',
  StatefulSet: 'apps/v1',
  Job: 'batch/v1',
  Role: 'rbac.authorization.k8s.io/v1',
  ClusterRole: 'rbac.authorization.k8s.io/v1',
  CustomResourceDefinition: 'apiextensions.k8s.io/v1',
  StorageClass: 'storage.k8s.io/v1',
  Ingress: 'networking.k8s.io/v1',
  ValidatingWebhookConfiguration: 'admissionregistration.k8s.io/v1',
  Widget: 'example.com/v1',
};

/** `Deployment shop/web`, `Namespace shop` or `extensions/v1beta1 Deployment shop/web` as a reference. */
export function ref(text: string): ObjectRef {
  const words = text.split(' ');
  const kind = words.at(-2) ?? '';
  const name = words.at(-1) ?? '';
  const slash = name.indexOf('/');
  return {
    apiVersion: words.length > 2 ? (words[0] ?? '') : (apiVersions[kind] ?? 'v1'),
    kind,
    namespace: slash < 0 ? '' : name.slice(0, slash),
    name: name.slice(slash + 1),
  };
}

/** The key of an object written as for {@link ref}. */
export function key(text: string): ObjectKey {
  return keyOf(ref(text));
}

/** A desired object; `version` stands for its content. */
export function desired(
  text: string,
  options: { readonly version?: number; readonly dependsOn?: readonly string[]; readonly spec?: JsonObject } = {},
): Manifest {
  const named = ref(text);
  const object: KubeObject = {
    apiVersion: named.apiVersion,
    kind: named.kind,
    metadata: { name: named.name, ...(named.namespace === '' ? {} : { namespace: named.namespace }) },
    spec: { version: options.version ?? 1, ...options.spec },
  };
  return {
    ref: named,
    key: keyOf(named),
    object,
    digest: digestOf(object),
    origin: { constructPath: `app/${named.name}`, frames: [] },
    dependsOn: (options.dependsOn ?? []).map(key),
  };
}

/** The inventory's entry of an object that was applied as it is desired; `uid` is derived from the name unless given. */
export function owned(manifest: Manifest, change: Partial<InventoryEntry> = {}): InventoryEntry {
  const { ref: named, digest } = manifest;
  return { ref: named, uid: uidOf(named), digest, constructPath: '', position: '', revision: 'abc', ...change };
}

/** Live metadata of an object, applied by the shop unless `owner` says otherwise. */
export function live(
  text: string,
  change: Partial<ObservedObject> & { readonly owner?: { readonly namespace: string; readonly name: string } } = {},
): ObservedObject {
  const named = ref(text);
  const { owner = shop, ...rest } = change;
  return {
    ref: named,
    key: keyOf(named),
    uid: uidOf(named),
    resourceVersion: '1',
    labels: { [trackingLabel]: trackingLabelValue(owner) },
    annotations: { [trackingAnnotation]: `${owner.namespace}/${owner.name}` },
    finalizers: [],
    ownerUids: [],
    managedFields: [
      {
        manager: 'setpoint',
        operation: 'Apply',
        apiVersion: named.apiVersion,
        fieldsV1: { 'f:metadata': { 'f:annotations': { [`f:${trackingAnnotation}`]: {} } } },
      },
    ],
    ...rest,
  };
}

/** A request from what Git declares, what is owned and what lives. */
export function world(parts: {
  readonly desired?: readonly Manifest[];
  readonly owned?: readonly InventoryEntry[];
  readonly live?: readonly ObservedObject[];
  readonly suspects?: readonly string[];
  readonly policy?: Partial<PlanRequest['policy']>;
  readonly failedGroups?: readonly string[];
  /** Who else declares an object of ours, by its text. */
  readonly claimants?: Readonly<Record<string, string>>;
  /** Who holds `.spec.replicas` of which object and keeps it. */
  readonly held?: Readonly<Record<string, string>>;
}): PlanRequest {
  const observed = new Map((parts.live ?? []).map((object) => [object.key, object]));
  return {
    desired: parts.desired ?? [],
    inventory: new Map((parts.owned ?? []).map((entry) => [keyOf(entry.ref), entry])),
    observed: (asked) => observed.get(asked),
    suspects: new Set((parts.suspects ?? []).map(key)),
    policy: { prune: true, selfHeal: true, ...parts.policy },
    owner: shop,
    failedGroups: new Set(parts.failedGroups),
    claimant: (asked) => Object.entries(parts.claimants ?? {}).find(([text]) => key(text) === asked)?.[1],
    heldFields: new Map(Object.entries(parts.held ?? {}).map(([text, manager]) => [key(text), [{ field: '.spec.replicas', manager }]])),
  };
}

/** One line per change: `update Deployment shop/web: changed in Git`. */
export function changesText(plan: Plan): readonly string[] {
  return plan.changes.map((change) => {
    const verb = change.action === 'skip' ? (change.forget ? 'skip and forget' : 'skip') : change.action;
    return `${verb} ${formatRef(change.ref)}: ${change.reason}`;
  });
}

/** One line per step: `create A, update B | wait for C`. */
export function stepsText(plan: Plan): readonly string[] {
  return plan.steps.map((step) => {
    const changes = step.changes.map((change) => `${change.action} ${formatRef(change.ref)}`).join(', ');
    return step.waitHealthy.length === 0 ? changes : `${changes} | wait for ${step.waitHealthy.join(', ')}`.trim();
  });
}

function uidOf(named: ObjectRef): string {
  return `uid-${named.kind}-${named.namespace}-${named.name}`;
}
