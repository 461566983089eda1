// Names of objects and of their namespaces (Kubernetes "Object Names and IDs"). Names inside a spec are the schema's and the server's matter.
import { groupOf, type KindRef } from '../../model/object-ref.ts';
import type { ObjectRule, Problem } from '../rule.ts';

interface NameForm {
  readonly pattern: RegExp;
  readonly maximum: number;
  readonly words: string;
}

const subdomain: NameForm = {
  pattern: /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
  maximum: 253,
  words: 'lower-case letters, digits, "-" and ".", beginning and ending with a letter or digit',
};
const label: NameForm = {
  pattern: /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/,
  maximum: 63,
  words: 'lower-case letters, digits and "-", beginning and ending with a letter or digit',
};
const pathSegment: NameForm = {
  pattern: /^(?!\.{1,2}$)[^/%]+$/,
  maximum: Number.POSITIVE_INFINITY,
  words: 'anything but "/", "%", "." and ".."',
};

const forms: Readonly<Record<string, NameForm>> = {
  '|Namespace': label,
  '|Service': label,
  'rbac.authorization.k8s.io|Role': pathSegment,
  'rbac.authorization.k8s.io|RoleBinding': pathSegment,
  'rbac.authorization.k8s.io|ClusterRole': pathSegment,
  'rbac.authorization.k8s.io|ClusterRoleBinding': pathSegment,
  'networking.k8s.io|IPAddress': pathSegment,
};

/** The object's name has the form its kind asks for, and its namespace is a DNS-1123 label. */
export const checkObjectName: ObjectRule = ({ ref }) => [
  ...checkForm(ref.name, formOf(ref), '.metadata.name'),
  ...(ref.namespace === '' ? [] : checkForm(ref.namespace, label, '.metadata.namespace')),
];

function formOf(kind: KindRef): NameForm {
  return forms[`${groupOf(kind.apiVersion)}|${kind.kind}`] ?? subdomain;
}

function checkForm(name: string, form: NameForm, field: string): readonly Problem[] {
  if (name.length > form.maximum) {
    return [
      { code: 'InvalidName', message: `"${name.slice(0, 60)}…" has ${name.length} characters, at most ${form.maximum} are allowed`, field },
    ];
  }
  if (form.pattern.test(name)) return [];
  return [{ code: 'InvalidName', message: `"${name}" is not a valid name`, field, hint: `allowed are ${form.words}` }];
}
