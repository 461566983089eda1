// What a health rule is, and its answers, one function per state, so that rules read as sentences.
import type { Health } from '../model/health.ts';
import type { JsonObject } from '../model/json.ts';

/** A rule: the health of an object whose status is up to date with its spec and that is not being deleted. */
export type HealthRule = (object: JsonObject) => Health;

/** Does what it is for. */
export const healthy = (message = ''): Health => ({ state: 'Healthy', message });
/** On its way. */
export const progressing = (message: string): Health => ({ state: 'Progressing', message });
/** Failed, and will not get better by itself. */
export const degraded = (message: string): Health => ({ state: 'Degraded', message });
/** Told to rest. */
export const suspended = (message: string): Health => ({ state: 'Suspended', message });
