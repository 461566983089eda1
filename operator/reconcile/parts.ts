// Everything the pipeline works with, as one value: the stages' ports and the cluster's. Made in operator.ts, where the compiler checks who satisfies what.
import type { ObjectWriter } from '../apply/ports.ts';
import type { Clock } from '../model/clock.ts';
import type { EmitEvent } from '../model/event.ts';
import type { SourcePool } from '../source/ports.ts';
import type { Synthesizer } from '../synth/ports.ts';
import type { Validator } from '../validate/create-validator.ts';
import type { ApplicationStore, CatalogLoader, InventoryStore, KindChanges, ObjectObserver, PauseSwitch, SecretReader } from './ports.ts';
import type { SynthLanes } from './synth-lanes.ts';

/** What the pipeline works with. */
export interface Parts {
  readonly applications: ApplicationStore;
  readonly inventories: InventoryStore;
  readonly observer: ObjectObserver;
  readonly catalogs: CatalogLoader;
  readonly kindChanges: KindChanges;
  readonly pause: PauseSwitch;
  readonly secrets: SecretReader;
  readonly sources: SourcePool;
  readonly synthesizer: Synthesizer;
  readonly synthLanes: SynthLanes;
  readonly validator: Validator;
  readonly writer: ObjectWriter;
  readonly clock: Clock;
  readonly emit: EmitEvent;
}
