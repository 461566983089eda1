// The one stream of OperatorEvents: who emits does not know who listens. What listeners do is in their own files.
import type { EmitEvent, OperatorEvent } from '../model/event.ts';

/** Receives every event, in order, at once. */
export type EventSubscriber = (event: OperatorEvent) => void;

/** The stream. */
export interface EventStream {
  readonly emit: EmitEvent;
  /** Returns the function that ends the subscription. */
  subscribe(subscriber: EventSubscriber): () => void;
}

/**
 * A stream without subscribers.
 * Guarantees: `emit` never throws; a subscriber that throws is told to `onError` and the others still hear the event.
 */
export function createEventStream(onError: (error: unknown) => void): EventStream {
  const subscribers = new Set<EventSubscriber>();
  return {
    emit(event) {
      for (const subscriber of subscribers) {
        try {
          subscriber(event);
        } catch (error) {
          onError(error);
        }
      }
    },
    subscribe(subscriber) {
      subscribers.add(subscriber);
      return () => subscribers.delete(subscriber);
    },
  };
}
