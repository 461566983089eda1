// Flags and environment → one frozen configuration. The only reader of process.env; opens no file and no connection.
import { isIP } from 'node:net';
import { OperatorError } from './model/error.ts';
import { longestLease } from './model/lease-times.ts';
import { millisecondsOf } from './reconcile/duration.ts';

/** Levels of the log, least first. */
export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;
/** One of {@link logLevels}. */
export type LogLevel = (typeof logLevels)[number];

/** Where a server listens. Port 0 lets the system choose. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** Everything `setpoint operator` can be told. */
export interface Config {
  /** Kubeconfig file; undefined: the credentials of the Pod. */
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly apiAddress: ListenAddress;
  readonly metricsAddress: ListenAddress;
  /** Folder for the prepared libraries of synth; undefined: the cache folder of the user. */
  readonly dataDir?: string;
  /** Namespaces whose Applications are served; empty: all. */
  readonly namespaces: readonly string[];
  /** Namespace of Setpoint itself, where it is paused; undefined: that of the Pod, or `setpoint-system`. */
  readonly systemNamespace?: string;
  readonly logLevel: LogLevel;
  /** Address of `setpoint synth-server`; undefined: child processes. */
  readonly synthAddress?: ListenAddress;
  /** File with the key shared with the synth server. */
  readonly synthKeyFile?: string;
  /** File with the key that signs webhook calls; undefined: the webhook refuses all calls. */
  readonly webhookSecretFile?: string;
  /** Permits repositories on loopback addresses: for the demo and tests. */
  readonly allowLoopbackGit: boolean;
  /** IP address under which other replicas reach this one; undefined: the host of `apiAddress` if it names one. */
  readonly advertiseAddress?: string;
  /** Undefined: this operator acts without asking whether another does. */
  readonly leaderElection?: LeaderElectionConfig;
}

/** Of several operators with the same Lease one acts. Durations in milliseconds. */
export interface LeaderElectionConfig {
  /** Name of the Lease. */
  readonly resourceName: string;
  /** Undefined: the namespace of the Pod. */
  readonly resourceNamespace?: string;
  readonly leaseDuration: number;
  readonly renewDeadline: number;
  readonly retryPeriod: number;
}

/** The flags of `setpoint operator` as the command line parser hands them over. */
export interface OperatorFlags {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly apiAddress?: string;
  readonly metricsAddress?: string;
  readonly dataDir?: string;
  readonly namespaces?: string;
  readonly systemNamespace?: string;
  readonly logLevel?: string;
  readonly synthAddress?: string;
  readonly synthKeyFile?: string;
  readonly webhookSecretFile?: string;
  readonly allowLoopbackGit?: boolean;
  readonly advertiseAddress?: string;
  readonly leaderElect?: boolean;
  readonly leaderElectLeaseDuration?: string;
  readonly leaderElectRenewDeadline?: string;
  readonly leaderElectRetryPeriod?: string;
  readonly leaderElectResourceName?: string;
  readonly leaderElectResourceNamespace?: string;
}

/** Variables of the environment, by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The environment of this process, as of now. */
export function readEnvironment(): Environment {
  return Object.freeze({ ...process.env });
}

/**
 * The configuration from flags and, for those not given, `SETPOINT_*` variables (`--api-address` → `SETPOINT_API_ADDRESS`).
 * Throws OperatorError `InvalidConfiguration` that names every bad value in one sentence each.
 */
export function parseConfig(flags: OperatorFlags, environment: Environment): Config {
  const problems: string[] = [];
  const text = (flag: keyof OperatorFlags): Given | undefined => givenValue(flags, environment, flag);
  const address = (flag: keyof OperatorFlags): ListenAddress | undefined => parseAddress(text(flag), problems);
  const config: Config = {
    ...optional('kubeconfig', nonEmpty(text('kubeconfig'), problems)),
    ...optional('context', nonEmpty(text('context'), problems)),
    apiAddress: address('apiAddress') ?? { host: '0.0.0.0', port: 8080 },
    metricsAddress: address('metricsAddress') ?? { host: '0.0.0.0', port: 8081 },
    ...optional('dataDir', nonEmpty(text('dataDir'), problems)),
    namespaces: parseNamespaces(text('namespaces'), problems),
    ...optional('systemNamespace', nonEmpty(text('systemNamespace'), problems)),
    logLevel: parseLogLevel(text('logLevel'), problems),
    ...optional('synthAddress', address('synthAddress')),
    ...optional('synthKeyFile', nonEmpty(text('synthKeyFile'), problems)),
    ...optional('webhookSecretFile', nonEmpty(text('webhookSecretFile'), problems)),
    allowLoopbackGit: parseBoolean(text('allowLoopbackGit'), problems),
    ...optional('advertiseAddress', parseIp(text('advertiseAddress'), problems)),
    ...optional('leaderElection', parseLeaderElection(text, problems)),
  };
  if (config.synthAddress !== undefined && config.synthKeyFile === undefined) {
    problems.push('--synth-address is given without --synth-key-file; name the file with the key that the synth server has too');
  }
  if (config.context !== undefined && config.kubeconfig === undefined) {
    problems.push('--context is given without --kubeconfig; name the kubeconfig that holds the context');
  }
  if (problems.length > 0) throw invalidConfiguration(problems);
  return deepFreeze(config);
}

/** The flags of `setpoint synth-server`. It reads no environment: what it runs must find none. */
export interface SynthServerFlags {
  readonly address: string;
  readonly keyFile: string;
  readonly dataDir?: string;
}

/** What `setpoint synth-server` is told. Throws OperatorError `InvalidConfiguration`. */
export function parseSynthServerConfig(flags: SynthServerFlags): {
  readonly address: ListenAddress;
  readonly keyFile: string;
  readonly dataDir?: string;
} {
  const problems: string[] = [];
  const address = parseAddress({ name: '--address', value: flags.address }, problems);
  const keyFile = nonEmpty({ name: '--key-file', value: flags.keyFile }, problems);
  const dataDir = flags.dataDir === undefined ? undefined : nonEmpty({ name: '--data-dir', value: flags.dataDir }, problems);
  if (address === undefined || keyFile === undefined || problems.length > 0) throw invalidConfiguration(problems);
  return Object.freeze({ address, keyFile, ...optional('dataDir', dataDir) });
}

function invalidConfiguration(problems: readonly string[]): OperatorError {
  return new OperatorError(problems.join('; '), { code: 'InvalidConfiguration', stage: 'config', fate: 'terminal' });
}

/** A value and how the person who gave it calls it. */
interface Given {
  readonly name: string;
  readonly value: string;
}

function givenValue(flags: OperatorFlags, environment: Environment, flag: keyof OperatorFlags): Given | undefined {
  const words = flag.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  const fromFlag = flags[flag];
  if (fromFlag !== undefined) return { name: `--${words}`, value: String(fromFlag) };
  const variable = `SETPOINT_${words.toUpperCase().replaceAll('-', '_')}`;
  const fromEnvironment = environment[variable];
  return fromEnvironment === undefined ? undefined : { name: variable, value: fromEnvironment };
}

function optional<Name extends string, Value>(name: Name, value: Value | undefined): { readonly [Key in Name]?: Value } {
  return value === undefined ? {} : ({ [name]: value } as { readonly [Key in Name]: Value });
}

function nonEmpty(given: Given | undefined, problems: string[]): string | undefined {
  if (given === undefined || given.value.trim() !== '') return given?.value;
  problems.push(`${given.name} is empty; leave it out or give a value`);
  return undefined;
}

function parseAddress(given: Given | undefined, problems: string[]): ListenAddress | undefined {
  if (given === undefined) return undefined;
  const match = /^(?:\[([^\]]+)\]|([^:]*)):(\d{1,5})$/.exec(given.value);
  const host = match?.[1] ?? match?.[2] ?? '';
  const port = Number(match?.[3]);
  const hostIsGood = match?.[1] === undefined ? /^[A-Za-z0-9.-]*$/.test(host) : isIP(host) === 6;
  if (match !== null && port <= 65_535 && hostIsGood) return { host: host === '' ? '0.0.0.0' : host, port };
  problems.push(`${given.name} is "${given.value}", which is not HOST:PORT; write for example 127.0.0.1:8080 or :8080`);
  return undefined;
}

function parseIp(given: Given | undefined, problems: string[]): string | undefined {
  if (given !== undefined && isIP(given.value) === 0) problems.push(`${given.name} is "${given.value}", which is no IP address`);
  return given?.value;
}

/** client-go's own rule. */
const retriesPerDeadline = 1.2;

/** The flags, their defaults and their rules are those of Kubernetes' own controllers. */
function parseLeaderElection(text: (flag: keyof OperatorFlags) => Given | undefined, problems: string[]): LeaderElectionConfig | undefined {
  const isOn = parseBoolean(text('leaderElect'), problems);
  const election: LeaderElectionConfig = {
    resourceName: parseName(text('leaderElectResourceName'), problems) ?? 'setpoint-operator',
    ...optional('resourceNamespace', parseName(text('leaderElectResourceNamespace'), problems)),
    leaseDuration: parseDuration(text('leaderElectLeaseDuration'), problems) ?? 15_000,
    renewDeadline: parseDuration(text('leaderElectRenewDeadline'), problems) ?? 10_000,
    retryPeriod: parseDuration(text('leaderElectRetryPeriod'), problems) ?? 2_000,
  };
  const { leaseDuration, renewDeadline, retryPeriod } = election;
  if (leaseDuration <= renewDeadline) problems.push('--leader-elect-lease-duration must be longer than --leader-elect-renew-deadline');
  if (renewDeadline <= retryPeriod * retriesPerDeadline) {
    problems.push(`--leader-elect-renew-deadline must be longer than ${retriesPerDeadline} times --leader-elect-retry-period`);
  }
  if (leaseDuration > longestLease) problems.push('--leader-elect-lease-duration may be 5m at most');
  return isOn ? election : undefined;
}

function parseName(given: Given | undefined, problems: string[]): string | undefined {
  if (given === undefined || /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(given.value)) return given?.value;
  problems.push(`${given.name} is "${given.value}", which is no name that Kubernetes takes; write lower-case letters, digits and dashes`);
  return undefined;
}

/** Milliseconds; undefined when nothing good is given. */
function parseDuration(given: Given | undefined, problems: string[]): number | undefined {
  if (given === undefined) return undefined;
  const milliseconds = /^(\d{1,6}(ms|s|m|h))+$/.test(given.value) ? millisecondsOf(given.value) : 0;
  if (milliseconds > 0) return milliseconds;
  problems.push(`${given.name} is "${given.value}"; write a duration above zero, for example 15s or 1m30s`);
  return undefined;
}

function parseNamespaces(given: Given | undefined, problems: string[]): readonly string[] {
  if (given === undefined || given.value === '') return [];
  const names = given.value.split(',').map((name) => name.trim());
  for (const name of names) {
    if (/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name)) continue;
    problems.push(`${given.name} holds "${name}", which is no name of a namespace; write names separated by commas, for example shop,blog`);
  }
  return [...new Set(names)].sort();
}

function parseLogLevel(given: Given | undefined, problems: string[]): LogLevel {
  if (given === undefined) return 'info';
  const level = logLevels.find((candidate) => candidate === given.value);
  if (level === undefined) problems.push(`${given.name} is "${given.value}"; it must be one of ${logLevels.join(', ')}`);
  return level ?? 'info';
}

function parseBoolean(given: Given | undefined, problems: string[]): boolean {
  if (given === undefined || given.value === 'false') return false;
  if (given.value !== 'true') problems.push(`${given.name} is "${given.value}"; it must be true or false`);
  return true;
}

function deepFreeze<Value extends object>(value: Value): Value {
  for (const member of Object.values(value)) {
    if (typeof member === 'object' && member !== null) deepFreeze(member);
  }
  return Object.freeze(value);
}
