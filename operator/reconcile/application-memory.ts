// What the operator remembers of one Application between looks. All of it can be lost: it is read or made again from Git and the cluster.
import { type Application, type ApplicationStatus, applicationKey } from '../model/application.ts';
import type { ApplicationKey } from '../model/event.ts';
import type { Finding } from '../model/finding.ts';
import type { Health } from '../model/health.ts';
import type { Inventory } from '../model/inventory.ts';
import type { Manifest } from '../model/manifest.ts';
import type { ObjectKey } from '../model/object-ref.ts';
import type { Baseline, ObservedObject } from '../model/observed.ts';
import type { Outcome } from '../model/outcome.ts';
import type { Revision } from '../model/revision.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { Addition } from '../observe/find-additions.ts';
import type { Subscription } from '../source/ports.ts';
import type { SynthResult } from '../synth/ports.ts';
import type { HealRecord } from './heal-limits.ts';
import { HealthLedger } from './health-ledger.ts';
import { mutationsIn } from './mutations.ts';
import { ObjectLedger } from './object-ledger.ts';

/** Why an Application is looked at. `drift` and `health` ask for less than a sync. */
export type Reason = 'start' | 'commit' | 'spec' | 'request' | 'suspend' | 'resume' | 'retry' | 'drift' | 'health';

/** A synth and what it was made from. */
export interface Rendered {
  readonly entries: Snapshot['entries'];
  /** Path, entry and inputs as text. */
  readonly request: string;
  readonly result: SynthResult;
}

/** Checked objects of a commit: what the cluster should be. */
export interface Desired {
  readonly revision: Revision;
  readonly ref: string;
  readonly manifests: readonly Manifest[];
  readonly byKey: ReadonlyMap<ObjectKey, Manifest>;
  /** Warnings. */
  readonly findings: readonly Finding[];
}

/** Checked objects, and what they were checked against. */
export interface Checked {
  readonly result: SynthResult;
  /** Schemas and settings of the check as text. */
  readonly stamp: string;
  readonly objects: Pick<Desired, 'manifests' | 'byKey' | 'findings'>;
}

/** The server's answer to a write. */
export interface Answered {
  readonly baseline: Baseline;
  readonly health: Health;
}

/** The memory of one Application. */
export interface ApplicationMemory {
  readonly key: ApplicationKey;
  readonly uid: string;
  readonly reasons: Set<Reason>;
  /** Objects that differ from Git, or may. */
  readonly suspects: Set<ObjectKey>;
  /** Suspects came that no look has judged yet. */
  hasNewSuspects: boolean;
  /** What the server answered to our last writes, until the watch has caught up with it. */
  readonly answered: Map<ObjectKey, Answered>;
  /** What our writes left behind, until the inventory has it: the watch may be past the answer long before a sync ends. */
  readonly written: Map<ObjectKey, Baseline>;
  /** Health of the owned objects, added up. Told of each change the watch shows and each answer that comes or goes. */
  readonly health: HealthLedger;
  /** What others added to owned objects. Told of each change the watch shows. */
  readonly added: ObjectLedger<readonly Addition[]>;
  /** Objects being written now: what the watch shows of them is judged when the answer is here. */
  readonly inFlight: Set<ObjectKey>;
  /** Objects seen to change while they were in flight. */
  readonly noticed: Set<ObjectKey>;
  /** Called once at the next change of an owned object. */
  readonly changeListeners: Set<() => void>;
  /** Drift that was told already and not healed, as text. */
  readonly toldDrift: Set<string>;
  /** What others added, by the observation it was found in. */
  readonly additions: WeakMap<ObservedObject, readonly Addition[]>;
  /** What admission made of objects when they were last applied. */
  readonly mutated: Map<ObjectKey, Finding>;
  /** Heals of each object, to notice when somebody undoes them again and again. */
  readonly heals: Map<ObjectKey, HealRecord>;
  /** Undefined until it was loaded. */
  inventory: Inventory | undefined;
  /** What is stored may be other than what is remembered: the inventory is read again before the next look. */
  isOutdated: boolean;
  rendered: Rendered | undefined;
  checked: Checked | undefined;
  /** The last commit the server accepted too: drift is healed from it while a newer one cannot be had. */
  accepted: Desired | undefined;
  /** Objects that left Git and stay, as the last sync of everything found them. */
  notices: readonly Finding[];
  /** The inventory was lost and made again; nothing is pruned until a sync of everything has put it right. */
  isRebuilt: boolean;
  /** Ask the cluster for its kinds again before the next check. */
  kindsMayHaveChanged: boolean;
  lastOutcome: Outcome | undefined;
  /** As it was last written, which the watch may not have brought back yet. */
  status: ApplicationStatus | undefined;
  /** Monotonic time of the last look whose status was written. */
  statusWrittenAt: number;
  /** The last commit seen, whatever became of it. */
  seenRevision: string | undefined;
  /** Failed looks in a row at the same input. */
  failures: number;
  failedInput: string;
  subscription: { readonly key: string; readonly handle: Subscription } | undefined;
  /** Value of the annotation that asks for a look, as last taken. */
  requestTaken: string | undefined;
  /** Why it is left alone, as last acted upon, as text; '' when it was not. */
  suspensionTaken: string;
  /** Whether it was a pause of the whole installation. */
  isPauseTaken: boolean;
  /** Generation of the Application that was last looked at. */
  generationTaken: number;
  /** Monotonic time until which what was applied may take to become healthy. */
  healthDeadline: number;
  /** Ends the wait for health of the look under way, because there is something newer to look at. */
  preempt: AbortController | undefined;
  /** Ends the writes of the look under way between two requests, because it is suspended now. */
  halt: AbortController | undefined;
  /** Monotonic time at which the first unanswered reason came. */
  askedAt: number | undefined;
}

/** A memory that knows nothing yet. */
export function createMemory(application: Application): ApplicationMemory {
  return {
    key: applicationKey(application),
    uid: application.uid,
    reasons: new Set(['start']),
    suspects: new Set(),
    hasNewSuspects: false,
    answered: new Map(),
    written: new Map(),
    health: new HealthLedger(),
    added: new ObjectLedger(),
    inFlight: new Set(),
    noticed: new Set(),
    changeListeners: new Set(),
    toldDrift: new Set(),
    additions: new WeakMap(),
    mutated: mutationsIn(application.status),
    heals: new Map(),
    inventory: undefined,
    isOutdated: false,
    rendered: undefined,
    checked: undefined,
    accepted: undefined,
    notices: [],
    isRebuilt: false,
    kindsMayHaveChanged: false,
    lastOutcome: undefined,
    status: application.status,
    statusWrittenAt: 0,
    seenRevision: application.status?.source?.revision,
    failures: 0,
    failedInput: '',
    subscription: undefined,
    requestTaken: undefined,
    suspensionTaken: '',
    isPauseTaken: false,
    generationTaken: 0,
    healthDeadline: 0,
    preempt: undefined,
    halt: undefined,
    askedAt: undefined,
  };
}
