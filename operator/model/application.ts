// The Application as the operator sees it: the API type plus what identifies the stored object. Its schema lives in constructs/.
import type { ApplicationSpec, ApplicationStatus } from '../../constructs/application-schema.ts';
import type { ApplicationKey } from './event.ts';

export type { ApplicationSpec, ApplicationStatus };

/** One stored Application. Admission has checked it and filled in defaults. */
export interface Application {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly generation: number;
  readonly resourceVersion: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly finalizers: readonly string[];
  readonly deletionTimestamp?: string;
  readonly spec: ApplicationSpec;
  readonly status?: ApplicationStatus;
}

/** `namespace/name`. */
export function applicationKey(application: { readonly namespace: string; readonly name: string }): ApplicationKey {
  return `${application.namespace}/${application.name}`;
}
