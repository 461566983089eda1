// Application as a construct, for Applications declared in TypeScript (apps of apps). Its fields are in application-spec-schema.ts.
import { ApiObject, type ApiObjectMetadata } from 'cdk8s';
import type { Construct } from 'constructs';
import { apiVersion } from './annotations.ts';
import type { ApplicationSpecProps } from './application-schema.ts';

/** Properties of {@link Application}. */
export interface ApplicationProps {
  /** Name, namespace, labels and annotations. @default a name derived from the construct's path, the chart's namespace */
  readonly metadata?: ApiObjectMetadata;
  /** What should run, from where, and how closely the cluster follows. */
  readonly spec: ApplicationSpecProps;
}

/** One folder of one Git repository that a cluster is kept equal to. */
export class Application extends ApiObject {
  /** The kind as it stands in manifests. */
  static readonly GVK = { apiVersion, kind: 'Application' } as const;

  constructor(scope: Construct, id: string, props: ApplicationProps) {
    super(scope, id, { ...Application.GVK, ...props });
  }
}
