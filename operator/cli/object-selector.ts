// `KIND/NAME` as people type it: Deployment/web, deploy/web, deployments.apps/web. Whether such an object exists is not asked here.
import { groupOf, type ObjectRef } from '../model/object-ref.ts';
import { usageError } from './run-command.ts';

/** A kind, in any spelling, and a name. */
export interface ObjectSelector {
  /** Lower case, as typed. */
  readonly kind: string;
  /** '' when none was typed. */
  readonly group: string;
  readonly name: string;
}

/** Short names of built-in kinds, as kubectl knows them. */
const shortNames: Readonly<Record<string, string>> = {
  app: 'application',
  cj: 'cronjob',
  cm: 'configmap',
  crd: 'customresourcedefinition',
  deploy: 'deployment',
  ds: 'daemonset',
  ep: 'endpoints',
  hpa: 'horizontalpodautoscaler',
  ing: 'ingress',
  netpol: 'networkpolicy',
  ns: 'namespace',
  pdb: 'poddisruptionbudget',
  po: 'pod',
  pv: 'persistentvolume',
  pvc: 'persistentvolumeclaim',
  rs: 'replicaset',
  sa: 'serviceaccount',
  sc: 'storageclass',
  sts: 'statefulset',
  svc: 'service',
};

/** Parses `KIND/NAME` or `KIND.GROUP/NAME`. Throws when it is neither. */
export function parseObjectSelector(text: string): ObjectSelector {
  const [kindAndGroup = '', name = '', ...rest] = text.split('/');
  if (kindAndGroup === '' || name === '' || rest.length > 0) {
    throw usageError(`read "${text}" as an object: it is not KIND/NAME`, 'write for example Deployment/web, or deployments.apps/web');
  }
  const dot = kindAndGroup.indexOf('.');
  const kind = (dot < 0 ? kindAndGroup : kindAndGroup.slice(0, dot)).toLowerCase();
  return { kind: shortNames[kind] ?? kind, group: dot < 0 ? '' : kindAndGroup.slice(dot + 1), name };
}

/** True when a selector means this object: kind in singular or plural whatever the case, group when one was typed, namespace unless cluster-scoped. */
export function selects(selector: ObjectSelector, namespace: string, ref: ObjectRef): boolean {
  const kind = ref.kind.toLowerCase();
  const kindMatches = [kind, `${kind}s`, `${kind}es`, kind.replace(/y$/, 'ies')].includes(selector.kind);
  const groupMatches = selector.group === '' || selector.group === groupOf(ref.apiVersion);
  return kindMatches && groupMatches && ref.name === selector.name && (ref.namespace === '' || ref.namespace === namespace);
}
