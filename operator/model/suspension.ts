// Why an Application is left alone for now: by its spec, by an annotation, or because everything is paused. Pure; what is done then is reconcile/'s matter.
import { suspendedAnnotation } from '../../constructs/annotations.ts';
import type { Application } from './application.ts';
import { isJsonObject, type JsonObject } from './json.ts';

/** Who stopped something, since when and why, as far as it was said. */
export interface Intervention {
  readonly by?: string;
  /** RFC 3339. */
  readonly at?: string;
  readonly reason?: string;
}

/** What a person said about the whole installation. */
export type Pause =
  | ({ readonly kind: 'pause' } & Intervention)
  /** It cannot be read whether Setpoint is paused: then it acts as if it were. */
  | { readonly kind: 'unknown'; readonly message: string };

/** Why an Application is left alone. */
export type Suspension = Pause | { readonly kind: 'spec' } | ({ readonly kind: 'annotation' } & Intervention);

/** Why an Application is left alone, the widest reason first; undefined when it is not. */
export function suspensionOf(application: Pick<Application, 'spec' | 'annotations'>, pause: Pause | undefined): Suspension | undefined {
  if (pause !== undefined) return pause;
  if (application.spec.suspend) return { kind: 'spec' };
  const text = application.annotations[suspendedAnnotation];
  return text === undefined || /^\s*(false)?\s*$/i.test(text) ? undefined : { kind: 'annotation', ...parseIntervention(text) };
}

/** The text of an annotation as what `formatIntervention` wrote, or as a reason by itself. */
function parseIntervention(text: string): Intervention {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { reason: text };
  }
  return isJsonObject(value) ? interventionOf(value) : typeof value === 'string' ? { reason: value } : {};
}

/** `by`, `at` and `reason` of a JSON object; what is no text is left out. */
export function interventionOf(value: JsonObject): Intervention {
  const entries = (['by', 'at', 'reason'] as const).map((name) => [name, value[name]] as const);
  return Object.fromEntries(entries.filter(([, text]) => typeof text === 'string' && text !== '')) as Intervention;
}

/** The sentence that people read: what is off, by whom, since when, why, and how to go on. */
export function describeSuspension(suspension: Suspension, application: { readonly namespace: string; readonly name: string }): string {
  const off = 'nothing is synced, healed or pruned';
  switch (suspension.kind) {
    case 'spec':
      return `suspended by spec.suspend: ${off}; to go on, set spec.suspend to false where the Application is declared`;
    case 'annotation':
      return `suspended${describeIntervention(suspension)}: ${off}; to go on: setpoint resume ${application.name} -n ${application.namespace}`;
    case 'pause':
      return `Setpoint is paused${describeIntervention(suspension)}: ${off} anywhere; to go on: setpoint unpause`;
    case 'unknown':
      return `whether Setpoint is paused cannot be told, so ${off} anywhere: ${suspension.message}`;
  }
}

/** ` by ada since 2026-11-23T10:00:00Z (database migration)`; what was not said is left out. */
export function describeIntervention({ by, at, reason }: Intervention): string {
  return `${by === undefined ? '' : ` by ${by}`}${at === undefined ? '' : ` since ${at}`}${reason === undefined ? '' : ` (${reason})`}`;
}
