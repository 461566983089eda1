// What an Application's `spec.source` asks of the source stage. Credentials are read anew each time they are used and never kept.
import type { Application } from '../model/application.ts';
import { OperatorError } from '../model/error.ts';
import { tenantIdentity } from '../model/identity.ts';
import type { Credentials, SourceSpec } from '../source/ports.ts';
import type { SecretReader } from './ports.ts';

/** The source of an Application. Equal text in `sourceKey` means an equal source. */
export function sourceOf(application: Application, secrets: SecretReader): SourceSpec {
  const { source, serviceAccountName } = application.spec;
  const name = source.secretRef?.name;
  const common = {
    url: source.repoURL,
    ...(source.ref === undefined ? {} : { ref: source.ref }),
    requireFastForward: source.requireFastForward ?? false,
    ...followedBefore(application),
  };
  if (name === undefined) return { ...common, credentialsId: '' };
  const read = (): Promise<SecretValues> => readSecret(application, name, secrets);
  return {
    ...common,
    credentialsId: `${application.namespace}/${name} as ${serviceAccountName}`,
    credentials: async () => credentialsIn(await read(), `${application.namespace}/${name}`),
    certificateAuthority: async () => textOf(await read(), 'ca.crt'),
  };
}

/** What distinguishes sources, as text. */
export function sourceKey(spec: SourceSpec): string {
  return JSON.stringify([spec.url, spec.ref ?? null, spec.credentialsId, spec.requireFastForward]);
}

/** What the status says was followed, while the spec is the one that the status is about. */
function followedBefore({ generation, status }: Application): Pick<SourceSpec, 'followedBefore'> {
  const revision = status?.observedGeneration === generation ? status.source?.revision : undefined;
  return revision === undefined ? {} : { followedBefore: revision };
}

type SecretValues = Readonly<Record<string, Uint8Array>>;

async function readSecret(application: Application, name: string, secrets: SecretReader): Promise<SecretValues> {
  const values = await secrets.read(tenantIdentity(application.namespace, application.spec.serviceAccountName), name);
  if (values !== undefined) return values;
  throw missing(`Secret ${application.namespace}/${name} does not exist`, 'create it or correct spec.source.secretRef');
}

function credentialsIn(values: SecretValues, where: string): Credentials | undefined {
  const token = textOf(values, 'token');
  if (token !== undefined) return { type: 'bearer', token };
  const password = textOf(values, 'password');
  const username = textOf(values, 'username');
  if (password !== undefined) return { type: 'basic', username: username ?? '', password };
  if (username === undefined && values['ca.crt'] !== undefined) return undefined;
  throw missing(`Secret ${where} holds neither a token nor a password`, 'give it the keys username and password, or token');
}

/** A value as text, without the line end that `echo … | base64` leaves behind. */
function textOf(values: SecretValues, key: string): string | undefined {
  const value = values[key];
  const text =
    value === undefined
      ? ''
      : Buffer.from(value)
          .toString('utf8')
          .replace(/\r?\n$/, '');
  return text === '' ? undefined : text;
}

function missing(message: string, hint: string): OperatorError {
  return new OperatorError(message, { code: 'SecretNotFound', stage: 'source', fate: 'transient', hint });
}
