import { ConfigMap } from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

export function settings(scope: Construct, id: string, data: Record<string, string>): ConfigMap {
  return new ConfigMap(scope, id, { data });
}
