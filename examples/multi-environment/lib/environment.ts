import { inputs } from '@setpoint/constructs';

/** What differs between environments, in one place. */
export interface Environment {
  readonly name: 'dev' | 'prod';
  readonly domain: string;
  readonly replicas: number;
  readonly logLevel: 'debug' | 'info';
}

const environments: Readonly<Record<string, Environment>> = {
  dev: { name: 'dev', domain: 'dev.example.com', replicas: 1, logLevel: 'debug' },
  prod: { name: 'prod', domain: 'example.com', replicas: 3, logLevel: 'info' },
};

/** The environment that `spec.source.inputs.env` names; `dev` when it names none. */
export function readEnvironment(): Environment {
  const name = String(inputs.env ?? 'dev');
  const environment = environments[name];
  if (environment === undefined) throw new Error(`inputs.env is "${name}"; it must be one of ${Object.keys(environments).join(', ')}`);
  return environment;
}
