// Whether a person has paused the whole installation: one ConfigMap in the operator's own namespace, watched. What a pause means is reconcile/'s matter.
import { pauseConfigMap } from '../../constructs/annotations.ts';
import { formatError, type OperatorError } from '../model/error.ts';
import type { EmitEvent } from '../model/event.ts';
import { isJsonObject } from '../model/json.ts';
import { interventionOf, type Pause } from '../model/suspension.ts';
import type { PauseSwitch } from '../reconcile/ports.ts';
import { refusalOf } from './api-error.ts';
import { type Reflector, startReflector } from './reflector.ts';
import type { RestClient } from './rest-client.ts';

/** What a pause switch works with. */
export interface PauseSwitchOptions {
  readonly client: RestClient;
  readonly emit: EmitEvent;
  /** Namespace of Setpoint itself. It need not exist. */
  readonly namespace: string;
}

/**
 * The pause switch of one installation: paused while the ConfigMap exists, whatever it holds.
 * Guarantees: while the API server refuses to tell, it counts as paused; while the API server cannot be reached (so that nothing can be
 * written either), what was known last counts.
 */
export function createPauseSwitch({ client, emit, namespace }: PauseSwitchOptions): PauseSwitch {
  const doing = `watch whether Setpoint is paused (ConfigMap ${namespace}/${pauseConfigMap})`;
  let reflector: Reflector<Pause> | undefined;
  let refusal: OperatorError | undefined;
  return {
    async start(onChange, signal) {
      const setRefusal = (error: OperatorError | undefined): void => {
        const changed = (refusal === undefined) !== (error === undefined);
        refusal = error;
        if (changed) onChange();
      };
      const started = startReflector<Pause>(
        client,
        {
          path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/configmaps`,
          fieldSelector: `metadata.name=${pauseConfigMap}`,
          metadataOnly: false,
          doing,
          reduce: ({ data }) => ({ kind: 'pause', ...interventionOf(isJsonObject(data) ? data : {}) }),
        },
        {
          onChange: () => onChange(),
          onFailure(error) {
            emit({ type: 'failure', error });
            if (isRefusal(error)) setRefusal(error);
          },
          onAnswer: () => setRefusal(undefined),
        },
        signal,
      );
      reflector = started;
      await started.listed.catch((error: unknown) => {
        if (refusal === undefined) throw error;
      });
    },
    current() {
      if (refusal !== undefined) return { kind: 'unknown', message: formatError(refusal) };
      return [...(reflector?.values() ?? [])][0];
    },
  };
}

function isRefusal(error: OperatorError): boolean {
  return error.code === 'Forbidden' && refusalOf(error) !== undefined;
}
