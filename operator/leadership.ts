// How the operator takes part in an election: the settings of one from flags, and where this replica is reached by others. The election itself is in cluster/.
import { randomUUID } from 'node:crypto';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import type { ClusterConnection } from './cluster/connection.ts';
import { createLeaderElection, type LeaderElection } from './cluster/leader-election.ts';
import { createLeaseClock } from './cluster/lease-clock.ts';
import type { Config } from './config.ts';
import type { EmitEvent } from './model/event.ts';

/** Where the install puts the operator, and where one on a laptop looks for the Lease of the others. */
const systemNamespace = 'setpoint-system';

/** The election that the configuration asks for; undefined when this operator acts without one. */
export function openElection(config: Config, connection: ClusterConnection, emit: EmitEvent): LeaderElection | undefined {
  const settings = config.leaderElection;
  if (settings === undefined) return undefined;
  const podNamespace = config.kubeconfig === undefined ? connection.namespace : undefined;
  return createLeaderElection({
    connection,
    lease: { name: settings.resourceName, namespace: settings.resourceNamespace ?? podNamespace ?? systemNamespace },
    times: { lease: settings.leaseDuration, renewDeadline: settings.renewDeadline, retry: settings.retryPeriod },
    // A container that starts again in the same Pod is another process.
    identity: `${hostname()}_${randomUUID()}`,
    clock: createLeaseClock(),
    now: () => new Date(),
    emit,
  });
}

/** Where other replicas reach this one's API server; undefined when it listens everywhere and nobody said under which address. */
export function advertisedUrl({ advertiseAddress, apiAddress }: Config, apiUrl: string): string | undefined {
  const host = advertiseAddress ?? apiAddress.host;
  if (host === '0.0.0.0' || host === '::') return undefined;
  return `http://${isIP(host) === 6 ? `[${host}]` : host}:${new URL(apiUrl).port}`;
}
