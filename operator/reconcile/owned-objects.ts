// Which Application owns an object, by key: the inventories of all Applications read the other way round.
import type { ApplicationKey } from '../model/event.ts';
import type { ObjectKey } from '../model/object-ref.ts';

/** The index. An object that two inventories name belongs to the one that named it first. */
export class OwnedObjects {
  readonly #owners = new Map<ObjectKey, ApplicationKey>();
  readonly #keys = new Map<ApplicationKey, Set<ObjectKey>>();

  ownerOf(key: ObjectKey): ApplicationKey | undefined {
    return this.#owners.get(key);
  }

  /** False when another Application has the object already. */
  claim(application: ApplicationKey, key: ObjectKey): boolean {
    const owner = this.#owners.get(key);
    if (owner !== undefined && owner !== application) return false;
    this.#owners.set(key, application);
    const keys = this.#keys.get(application) ?? new Set();
    keys.add(key);
    this.#keys.set(application, keys);
    return true;
  }

  release(application: ApplicationKey, key: ObjectKey): void {
    if (this.#owners.get(key) === application) this.#owners.delete(key);
    this.#keys.get(application)?.delete(key);
  }

  /** Releases everything an Application owns. */
  forget(application: ApplicationKey): void {
    for (const key of this.#keys.get(application) ?? []) this.#owners.delete(key);
    this.#keys.delete(application);
  }
}
