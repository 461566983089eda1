// Whether the object a person named is there at all: the kinds the cluster serves and one read of each that is meant. Its content is not looked at.
import { statusOf } from '../cluster/api-error.ts';
import { pathOf, type ServedKind } from '../cluster/discovery.ts';
import type { ObjectRef } from '../model/object-ref.ts';
import { type ObjectSelector, selects } from './object-selector.ts';

/** The object that is meant when every read says that it does not exist; undefined when there is one, or when that cannot be told. */
export async function absentObject(
  served: Iterable<ServedKind>,
  selector: ObjectSelector,
  namespace: string,
  read: (path: string) => Promise<unknown>,
): Promise<ObjectRef | undefined> {
  let absent: ObjectRef | undefined;
  for (const kind of served) {
    const ref = { apiVersion: kind.apiVersion, kind: kind.kind, namespace: kind.namespaced ? namespace : '', name: selector.name };
    if (!selects(selector, namespace, ref)) continue;
    if (!(await isAbsent(read(pathOf(kind, ref))))) return undefined;
    absent ??= ref;
  }
  return absent;
}

async function isAbsent(answer: Promise<unknown>): Promise<boolean> {
  try {
    await answer;
    return false;
  } catch (error) {
    return statusOf(error) === 404;
  }
}
