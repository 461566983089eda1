// Words for health. The rules per kind are in health/.
import type { ObjectRef } from './object-ref.ts';

/** Health of one object or an Application, best first. */
export const healthStates = ['Healthy', 'Suspended', 'Progressing', 'Missing', 'Degraded', 'Unknown'] as const;
/** One of {@link healthStates}. */
export type HealthState = (typeof healthStates)[number];

/** Health of one object with the reason in words. */
export interface Health {
  readonly state: HealthState;
  readonly message: string;
}

/** Health of an Application and the object that decides it. */
export interface ApplicationHealth extends Health {
  readonly decidedBy?: ObjectRef;
}
