// Whether the object a person named is there at all: the kinds the cluster serves and one read of each that is meant. Its content is not looked at.
import { statusOf } from '../cluster/api-error.ts';
import { pathOf, type ServedKind } from '../cluster/discovery.ts';
import type { ObjectRef } from '../model/object-ref.ts';
import { type ObjectSelector, selects } from './object-selector.ts';

/** What certainly is not there: the object that is meant, or its kind. */
export type Absence = { readonly kind: 'object'; readonly ref: ObjectRef } | { readonly kind: 'kind' };

/** What is missing when every read says that the object does not exist, or no kind of that name is served; undefined when there is one, or when that cannot be told. */
export async function absentObject(
  served: Iterable<ServedKind>,
  selector: ObjectSelector,
  namespace: string,
  read: (path: string) => Promise<unknown>,
): Promise<Absence | undefined> {
  let isServed = false;
  let absent: ObjectRef | undefined;
  for (const kind of served) {
    const ref = { apiVersion: kind.apiVersion, kind: kind.kind, namespace: kind.namespaced ? namespace : '', name: selector.name };
    if (!selects(selector, namespace, ref)) continue;
    isServed = true;
    if (!(await isAbsent(read(pathOf(kind, ref))))) return undefined;
    absent ??= ref;
  }
  if (!isServed) return { kind: 'kind' };
  return absent === undefined ? undefined : { kind: 'object', ref: absent };
}

async function isAbsent(answer: Promise<unknown>): Promise<boolean> {
  try {
    await answer;
    return false;
  } catch (error) {
    return statusOf(error) === 404;
  }
}
