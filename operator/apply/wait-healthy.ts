// Waits until objects are healthy. What healthy means is in health/; this only waits and gives up.
import type { Clock } from '../model/clock.ts';
import { OperatorError } from '../model/error.ts';
import type { Health } from '../model/health.ts';
import { formatRef, type ObjectKey } from '../model/object-ref.ts';
import type { Baseline } from '../model/observed.ts';
import type { ObjectFailure } from '../model/outcome.ts';
import type { Plan } from '../model/plan.ts';

/** What waiting needs. */
export interface WaitContext {
  readonly plan: Plan;
  readonly isHealthy: (key: ObjectKey, written: Baseline | undefined) => Health | undefined;
  readonly waitForChange: (signal: AbortSignal) => Promise<void>;
  readonly timeoutMilliseconds: number;
  readonly clock: Clock;
}

/** Waits until all are healthy or suspended. Returns the first that was not in time as `HealthTimeout`; undefined when all are, or when aborted. */
export async function waitHealthy(
  context: WaitContext,
  keys: readonly ObjectKey[],
  baselines: ReadonlyMap<ObjectKey, Baseline>,
  signal: AbortSignal,
): Promise<ObjectFailure | undefined> {
  if (keys.length === 0) return undefined;
  const timeout = new AbortController();
  const either = AbortSignal.any([signal, timeout.signal]);
  const timer = context.clock.sleep(context.timeoutMilliseconds, either).then(
    () => timeout.abort(),
    () => undefined,
  );
  try {
    for (;;) {
      const waitingFor = keys.find((key) => !isReady(context.isHealthy(key, baselines.get(key))));
      if (waitingFor === undefined || signal.aborted) return undefined;
      if (timeout.signal.aborted) return timedOut(context, waitingFor, baselines);
      await context.waitForChange(either);
    }
  } finally {
    timeout.abort();
    await timer;
  }
}

function isReady(health: Health | undefined): boolean {
  return health?.state === 'Healthy' || health?.state === 'Suspended';
}

function timedOut(context: WaitContext, key: ObjectKey, baselines: ReadonlyMap<ObjectKey, Baseline>): ObjectFailure {
  const change = context.plan.changes.find((candidate) => candidate.key === key);
  const [group = '', kind = '', namespace = '', name = ''] = key.split('|');
  const ref = change?.ref ?? { apiVersion: group === '' ? 'v1' : group, kind, namespace, name };
  const health = context.isHealthy(key, baselines.get(key));
  const state =
    health === undefined ? 'nothing was observed of it' : `it is ${health.state}${health.message === '' ? '' : `: ${health.message}`}`;
  const error = new OperatorError(
    `wait for ${formatRef(ref)}: not healthy after ${Math.round(context.timeoutMilliseconds / 1000)} s: ${state}`,
    {
      code: 'HealthTimeout',
      stage: 'apply',
      fate: 'transient',
      hint: 'later steps were not started; correct the object or raise sync.timeout',
    },
  );
  return { ref, error };
}
