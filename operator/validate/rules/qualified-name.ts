// The form that keys of labels and annotations share: an optional DNS prefix, a slash, and a short name.
import type { Problem } from '../rule.ts';

const namePattern = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const prefixPattern = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** Problems of a key; `what` names it in the message, e.g. `label key`. */
export function checkQualifiedName(key: string, what: string, field: string): readonly Problem[] {
  const parts = key.split('/');
  const name = parts.at(-1) ?? '';
  const prefix = parts.length === 2 ? parts[0] : undefined;
  const prefixFits = prefix === undefined ? parts.length === 1 : prefix.length <= 253 && prefixPattern.test(prefix);
  if (prefixFits && name.length <= 63 && namePattern.test(name)) return [];
  const hint = 'a key is a name of at most 63 letters, digits, "-", "_" and ".", optionally after a DNS prefix and one "/"';
  return [{ code: 'InvalidName', message: `"${key.slice(0, 320)}" is not a valid ${what}`, field, hint }];
}
