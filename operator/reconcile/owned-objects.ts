// Which Application owns an object, by key: the inventories of all Applications read the other way round, and who else would have it.
import type { ApplicationKey } from '../model/event.ts';
import { keyOf, type ObjectKey, type ObjectRef } from '../model/object-ref.ts';

/** One object that an Application declares although another has it. */
export interface Claim {
  readonly ref: ObjectRef;
  readonly holder: ApplicationKey;
}

/** What an Application is told: `claims`: who else declares its objects changed; `released`: it may have an object now, or has one no longer. */
export type ClaimNews = 'claims' | 'released';

/**
 * The index. An object that two inventories name belongs to the one that named it first, until that one declares it no more.
 * Lost with the process: it is made again from inventories and from the next sync of each Application.
 */
export class OwnedObjects {
  readonly #owners = new Map<ObjectKey, ApplicationKey>();
  readonly #keys = new Map<ApplicationKey, Set<ObjectKey>>();
  readonly #declared = new Map<ApplicationKey, ReadonlySet<ObjectKey>>();
  readonly #claims = new Map<ApplicationKey, ReadonlyMap<ObjectKey, Claim>>();
  readonly #listeners = new Set<(application: ApplicationKey, news: ClaimNews) => void>();

  /** Called after the index changed in a way that an Application should act on. */
  onNews(listener: (application: ApplicationKey, news: ClaimNews) => void): void {
    this.#listeners.add(listener);
  }

  ownerOf(key: ObjectKey): ApplicationKey | undefined {
    return this.#owners.get(key);
  }

  /**
   * The other Application that has an object: the one whose inventory names it, or whose marks (`marked`) it carries. One that was synced
   * and declares the object no more has it no longer.
   */
  holderOf(application: ApplicationKey, key: ObjectKey, marked: ApplicationKey | undefined): ApplicationKey | undefined {
    return [this.#owners.get(key), marked].find((holder) => holder !== undefined && holder !== application && !this.#letsGo(holder, key));
  }

  /** False when another Application has the object already. */
  claim(application: ApplicationKey, key: ObjectKey): boolean {
    const owner = this.#owners.get(key);
    if (owner !== undefined && owner !== application) {
      if (!this.#letsGo(owner, key)) return false;
      this.#tell(owner, 'released');
    }
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

  /** What Git declares of an Application, after a sync of all of it. Those who wait for what it declares no more are told. */
  declare(application: ApplicationKey, keys: Iterable<ObjectKey>): void {
    const declared = new Set(keys);
    this.#declared.set(application, declared);
    for (const [claimant, claims] of this.#claims) {
      if ([...claims].some(([key, { holder }]) => holder === application && !declared.has(key))) this.#tell(claimant, 'released');
    }
  }

  /** The objects that an Application declares and others have, after a sync of all of it. Returns the claims that are new. */
  setClaims(application: ApplicationKey, claims: readonly Claim[]): readonly Claim[] {
    const before = this.#claims.get(application) ?? new Map<ObjectKey, Claim>();
    const after = new Map(claims.map((claim) => [keyOf(claim.ref), claim]));
    if (after.size === 0) this.#claims.delete(application);
    else this.#claims.set(application, after);
    const added = [...after].filter(([key, { holder }]) => before.get(key)?.holder !== holder);
    const ended = [...before].filter(([key, { holder }]) => after.get(key)?.holder !== holder);
    for (const holder of new Set([...added, ...ended].map(([, claim]) => claim.holder))) this.#tell(holder, 'claims');
    return added.map(([, claim]) => claim);
  }

  /** The objects of an Application that others declare too, with who does; in order of name. */
  claimsOn(application: ApplicationKey): readonly { readonly ref: ObjectRef; readonly by: ApplicationKey }[] {
    return [...this.#claims]
      .flatMap(([by, claims]) => [...claims.values()].filter(({ holder }) => holder === application).map(({ ref }) => ({ ref, by })))
      .sort((left, right) => (`${keyOf(left.ref)} ${left.by}` < `${keyOf(right.ref)} ${right.by}` ? -1 : 1));
  }

  /** Another Application that declares an object which this one has. */
  claimantOf(application: ApplicationKey, key: ObjectKey): ApplicationKey | undefined {
    return [...this.#claims].find(([by, claims]) => by !== application && claims.get(key)?.holder === application)?.[0];
  }

  /** Releases everything an Application owns: its inventory is read again. */
  releaseAll(application: ApplicationKey): void {
    for (const key of this.#keys.get(application) ?? []) if (this.#owners.get(key) === application) this.#owners.delete(key);
    this.#keys.delete(application);
  }

  /** Releases everything an Application owns and claims: it is gone. */
  forget(application: ApplicationKey): void {
    this.releaseAll(application);
    this.#declared.delete(application);
    this.setClaims(application, []);
    for (const [claimant, claims] of this.#claims)
      if ([...claims.values()].some(({ holder }) => holder === application)) this.#tell(claimant, 'released');
  }

  #letsGo(holder: ApplicationKey, key: ObjectKey): boolean {
    return this.#declared.get(holder)?.has(key) === false;
  }

  #tell(application: ApplicationKey, news: ClaimNews): void {
    for (const listener of this.#listeners) listener(application, news);
  }
}
