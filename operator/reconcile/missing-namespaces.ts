// A namespace that does not exist looks like a missing permission to a ServiceAccount that may not look. The operator may, and says which it is.
import type { Finding } from '../model/finding.ts';
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
