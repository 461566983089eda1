// What the pipeline needs of a cluster besides the stages' own ports. cluster/ satisfies it; main.ts is where the compiler checks that.
import type { Application, ApplicationStatus } from '../model/application.ts';
import type { ApplicationKey } from '../model/event.ts';
import type { TenantIdentity } from '../model/identity.ts';
import type { Inventory, InventoryEntry } from '../model/inventory.ts';
import type { JsonObject } from '../model/json.ts';
import type { KindRef, ObjectKey } from '../model/object-ref.ts';
import type { ObservedObject } from '../model/observed.ts';
import type { Pause } from '../model/suspension.ts';
import type { SchemaCatalog } from '../validate/ports.ts';

/** Applications as the API server stores them, watched. */
export interface ApplicationStore {
  /** Starts watching; resolves after the first full list. `onChange` is called for every added, changed or removed Application. */
  start(onChange: (key: ApplicationKey) => void, signal: AbortSignal): Promise<void>;
  /** Called when Applications went back in time, as `ObjectObserver` does. */
  onRewound(listener: () => void): void;
  get(key: ApplicationKey): Application | undefined;
  /** Whether there is an Application of this name in the cluster, served by this operator or not. */
  exists(key: ApplicationKey): Promise<boolean>;
  list(): readonly Application[];
  /** Replaces `.status`; writes nothing when it is equal. */
  writeStatus(application: Application, status: ApplicationStatus): Promise<void>;
  /** Adds or removes our finalizer. */
  setFinalizer(application: Application, present: boolean): Promise<void>;
}

/** Inventories, chunked into objects owned by their Application. */
export interface InventoryStore {
  /** Throws OperatorError `InventoryCorrupt`. */
  load(application: Application): Promise<Inventory>;
  /** Drops what is kept in memory of an Application that is gone. */
  forget(application: Pick<Application, 'uid'>): void;
  /** The entries of those chunks that are as they were written. Throws OperatorError `InventoryCorrupt` only for what a newer operator wrote. */
  salvage(application: Application): Promise<Inventory>;
  /** Stores exactly these entries, whatever is stored. */
  replace(application: Application, entries: readonly InventoryEntry[]): Promise<void>;
  /** Adds or replaces entries and removes keys; rewrites only the chunks that change. */
  save(application: Application, upsert: readonly InventoryEntry[], remove: readonly ObjectKey[]): Promise<void>;
}

/** Metadata of live objects that carry our label, kept current by watches, one per kind, shared by all Applications. */
export interface ObjectObserver {
  /** Starts watching kinds that are not watched yet; resolves when each has been listed once. */
  watchKinds(kinds: readonly KindRef[]): Promise<void>;
  /** Live metadata by key. Only of watched kinds. */
  get(key: ObjectKey): ObservedObject | undefined;
  /** Called with each object that appeared, changed or went (`undefined`). */
  onChange(listener: (key: ObjectKey, object: ObservedObject | undefined, previous: ObservedObject | undefined) => void): void;
  /** Called when live objects went back in time: the cluster was restored from a backup, or made anew. */
  onRewound(listener: () => void): void;
  /** Metadata of one object by a GET as the operator, whether labelled or not. */
  fetch(ref: {
    readonly apiVersion: string;
    readonly kind: string;
    readonly namespace: string;
    readonly name: string;
  }): Promise<ObservedObject | undefined>;
  /** Metadata of every object that carries a value of our label, of whatever kind: one request per kind that is served. */
  findLabelled(label: string): Promise<readonly ObservedObject[]>;
  /** The full object for kinds whose health is read from status, reduced to what health needs; undefined when unknown. */
  status(key: ObjectKey): JsonObject | undefined;
}

/** Kinds and schemas of the cluster. */
export interface CatalogLoader {
  /** Loads what these kinds need, from cache where nothing changed. `refresh` asks the server again (a CRD was just created). */
  load(kinds: readonly KindRef[], refresh?: boolean): Promise<SchemaCatalog>;
}

/** When the cluster may serve other kinds than before. */
export interface KindChanges {
  /** Called some time after a kind was added, changed or removed; rather once too often. */
  onChange(listener: () => void): void;
}

/** Whether a person has paused the whole installation. */
export interface PauseSwitch {
  /** Starts watching; resolves when the present state is known, or is known to be unreadable. `onChange` is called after each change. */
  start(onChange: () => void, signal: AbortSignal): Promise<void>;
  /** Undefined: not paused. */
  current(): Pause | undefined;
}

/** Values of a Secret in the namespace of the Application, read as its identity; undefined when there is none. */
export interface SecretReader {
  read(identity: TenantIdentity, name: string): Promise<Readonly<Record<string, Uint8Array>> | undefined>;
}
