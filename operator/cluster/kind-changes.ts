// Tells when the cluster may serve other kinds than before: a definition or an API service came, changed or went. Which kinds those are is discovery's matter.
import type { EmitEvent } from '../model/event.ts';
import type { KindChanges } from '../reconcile/ports.ts';
import type { Discovery } from './discovery.ts';
import { startReflector } from './reflector.ts';
import type { RestClient } from './rest-client.ts';

/** What the watches work with. */
export interface KindChangesOptions {
  readonly client: RestClient;
  readonly discovery: Discovery;
  readonly emit: EmitEvent;
  /** Ends the watches. */
  readonly signal: AbortSignal;
}

const collections = ['/apis/apiextensions.k8s.io/v1/customresourcedefinitions', '/apis/apiregistration.k8s.io/v1/apiservices'];

/** The API server serves a new kind a moment after its definition is there; it is looked for at once, and once more for sure. */
const tellAfterMilliseconds = [200, 2_500];

/** Watches definitions of kinds, metadata only. */
export function watchKindChanges({ client, discovery, emit, signal }: KindChangesOptions): KindChanges {
  const listeners = new Set<() => void>();
  let timers: readonly NodeJS.Timeout[] = [];
  const tell = (): void => {
    discovery.invalidate();
    for (const listener of listeners) listener();
  };
  const tellSoon = (): void => {
    for (const timer of timers) clearTimeout(timer);
    timers = signal.aborted ? [] : tellAfterMilliseconds.map((milliseconds) => setTimeout(tell, milliseconds).unref());
  };
  for (const path of collections) {
    const reflector = startReflector(
      client,
      { path, metadataOnly: true, doing: 'watch which kinds there are', reduce: () => ({}) },
      { onChange: () => reflector.hasListed() && tellSoon(), onFailure: (error) => emit({ type: 'failure', error }) },
      signal,
    );
  }
  return { onChange: (listener) => void listeners.add(listener) };
}
