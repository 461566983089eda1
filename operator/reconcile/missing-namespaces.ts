// A namespace or ServiceAccount that does not exist looks like a missing permission to who may not look. The operator may, and says which it is.
import type { Finding } from '../model/finding.ts';
import type { Look } from './look.ts';
import type { ObjectObserver } from './ports.ts';

/** The findings with `NoPermission` told as `NamespaceNotFound` where the object's namespace is absent. Throws OperatorError. */
export async function nameMissingNamespaces(findings: readonly Finding[], observer: ObjectObserver): Promise<readonly Finding[]> {
  const refused = findings.filter(({ code }) => code === 'NoPermission').flatMap(({ object }) => object?.namespace || []);
  const missing = new Set<string>();
  for (const name of new Set(refused)) {
    const live = await observer.fetch({ apiVersion: 'v1', kind: 'Namespace', namespace: '', name });
    if (live === undefined) missing.add(name);
  }
  return findings.map((finding) =>
    finding.code === 'NoPermission' && finding.object !== undefined && missing.has(finding.object.namespace)
      ? { ...finding, ...namespaceNotFound(finding.object.namespace) }
      : finding,
  );
}

function namespaceNotFound(name: string): Pick<Finding, 'code' | 'message' | 'hint'> {
  return {
    code: 'NamespaceNotFound',
    message: `namespace "${name}" does not exist`,
    hint: 'create it, declare it in the app, or correct spec.destination.namespace',
  };
}

/** The findings, or the one thing that is wrong with all that miss a permission: the ServiceAccount does not exist. Throws OperatorError. */
export async function nameMissingAccount(findings: readonly Finding[], { application, parts }: Look): Promise<readonly Finding[]> {
  if (!findings.some(({ code }) => code === 'NoPermission')) return findings;
  const { namespace, spec } = application;
  const name = spec.serviceAccountName;
  if ((await parts.observer.fetch({ apiVersion: 'v1', kind: 'ServiceAccount', namespace, name })) !== undefined) return findings;
  const missing: Finding = {
    ...{ code: 'NoPermission', severity: 'error', message: `ServiceAccount ${namespace}/${name} does not exist` },
    hint: `create ServiceAccount ${namespace}/${name}, or correct spec.serviceAccountName`,
  };
  return [missing, ...findings.filter(({ code }) => code !== 'NoPermission')];
}
