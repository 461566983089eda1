// Kubernetes Events of Applications (events.k8s.io/v1), written from the operator's own events. What they say is in event-notes.ts.
import { randomBytes } from 'node:crypto';
import { apiVersion } from '../../constructs/annotations.ts';
import type { Application } from '../model/application.ts';
import { type OperatorError, toOperatorError } from '../model/error.ts';
import type { ApplicationKey, OperatorEvent } from '../model/event.ts';
import { statusOf } from './api-error.ts';
import { type EventNote, noteOf } from './event-notes.ts';
import type { RestClient } from './rest-client.ts';

/** What a recorder works with. */
export interface EventRecorderOptions {
  readonly client: RestClient;
  readonly application: (key: ApplicationKey) => Application | undefined;
  /** Name of this operator's Pod or host. */
  readonly instance: string;
  readonly now: () => Date;
  /** Told when an Event could not be written. Nothing waits for Events and nothing depends on them. */
  readonly onError: (error: OperatorError) => void;
}

/** A subscriber of the operator's events. */
export interface EventRecorder {
  readonly subscriber: (event: OperatorEvent) => void;
  /** Resolves when what was told so far is written or given up. */
  flush(): Promise<void>;
}

/** Where events go: API limits of events.k8s.io/v1. */
const maxNoteLength = 1024;
const maxReasonLength = 128;
/** A repeated Event counts on in the former one for so long. */
const seriesMilliseconds = 6 * 60_000;
/** Counting on is written at most so often per Event. */
const countMilliseconds = 30_000;
/** New Events of one Application: so many at once, then one per interval. */
const burst = 25;
const refillMilliseconds = 20_000;
const maxRemembered = 2_000;

interface Series {
  readonly name: string;
  count: number;
  seenAt: number;
  writtenAt: number;
}

interface Budget {
  left: number;
  at: number;
}

/** A recorder. An Event that repeats becomes a series; an Application that has too much to tell is cut short. */
export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  const series = new Map<string, Series>();
  const budgets = new Map<ApplicationKey, Budget>();
  let writing: Promise<void> = Promise.resolve();
  const enqueue = (write: () => Promise<void>): void => {
    writing = writing.then(write).catch((error: unknown) => options.onError(toOperatorError(error, 'cluster')));
  };
  return {
    subscriber(event) {
      if (event.type === 'application-removed') budgets.delete(event.application);
      const note = noteOf(event);
      const application = note === undefined ? undefined : options.application(note.application);
      if (note === undefined || application === undefined) return;
      const now = options.now();
      const id = `${application.uid}|${note.type}|${note.reason}|${note.text}`;
      const before = series.get(id);
      if (before !== undefined && now.getTime() - before.seenAt < seriesMilliseconds) {
        if (countOn(before, now)) enqueue(() => writeCount(options, application, before, now));
        return;
      }
      if (!spend(budgets, note.application, now)) return;
      const name = `${application.name.slice(0, 200)}.${randomBytes(8).toString('hex')}`;
      remember(series, id, { name, count: 1, seenAt: now.getTime(), writtenAt: now.getTime() });
      enqueue(() => writeEvent(options, application, note, name, now));
    },
    flush: () => writing,
  };
}

/** Counts a repetition; true when it is time to write the count. */
function countOn(series: Series, now: Date): boolean {
  series.count += 1;
  series.seenAt = now.getTime();
  if (series.count > 2 && now.getTime() - series.writtenAt < countMilliseconds) return false;
  series.writtenAt = now.getTime();
  return true;
}

function spend(budgets: Map<ApplicationKey, Budget>, key: ApplicationKey, now: Date): boolean {
  const budget = budgets.get(key) ?? { left: burst, at: now.getTime() };
  const refilled = Math.floor((now.getTime() - budget.at) / refillMilliseconds);
  if (refilled > 0) {
    budget.left = Math.min(burst, budget.left + refilled);
    budget.at = now.getTime();
  }
  budgets.set(key, budget);
  if (budget.left === 0) return false;
  budget.left -= 1;
  return true;
}

function remember(series: Map<string, Series>, id: string, value: Series): void {
  series.delete(id);
  series.set(id, value);
  const [oldest] = series.keys();
  if (series.size > maxRemembered && oldest !== undefined) series.delete(oldest);
}

async function writeEvent(
  options: EventRecorderOptions,
  application: Application,
  note: EventNote,
  name: string,
  now: Date,
): Promise<void> {
  const { namespace } = application;
  const annotations = note.revision === undefined ? {} : { annotations: { 'setpoint.dev/revision': note.revision } };
  await options.client.request({
    method: 'POST',
    path: collectionPath(namespace),
    doing: `write an Event of Application ${namespace}/${application.name}`,
    body: {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name, namespace, ...annotations },
      eventTime: microTime(now),
      reportingController: 'setpoint.dev/operator',
      reportingInstance: options.instance.slice(0, 128),
      action: note.action,
      reason: note.reason.slice(0, maxReasonLength),
      type: note.type,
      note: cut(note.text),
      regarding: {
        apiVersion,
        kind: 'Application',
        namespace,
        name: application.name,
        uid: application.uid,
        resourceVersion: application.resourceVersion,
      },
    },
  });
}

async function writeCount(options: EventRecorderOptions, application: Application, series: Series, now: Date): Promise<void> {
  const path = `${collectionPath(application.namespace)}/${series.name}`;
  const body = { series: { count: series.count, lastObservedTime: microTime(now) } };
  const doing = `count an Event of Application ${application.namespace}/${application.name}`;
  try {
    await options.client.request({ method: 'PATCH', path, contentType: 'application/merge-patch+json', body, doing });
  } catch (error) {
    // The API server keeps Events for an hour; the next repetition begins a new one.
    if (statusOf(error) !== 404) throw error;
    series.seenAt = -Infinity;
  }
}

function collectionPath(namespace: string): string {
  return `/apis/events.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/events`;
}

/** metav1.MicroTime. */
function microTime(time: Date): string {
  return time.toISOString().replace('Z', '000Z');
}

/** At most 1,024 bytes, as the API server counts. */
function cut(text: string): string {
  if (Buffer.byteLength(text) <= maxNoteLength) return text;
  let short = text.slice(0, maxNoteLength - 3);
  while (Buffer.byteLength(short) > maxNoteLength - 3) short = short.slice(0, -1);
  return `${short}…`;
}
