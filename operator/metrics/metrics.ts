// Events → Prometheus metrics, under the names that existing dashboards for controllers and GitOps tools know. Serving them is api/'s matter.
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { EventSubscriber } from '../events/event-stream.ts';
import type { ApplicationKey, OperatorEvent } from '../model/event.ts';
import type { Outcome } from '../model/outcome.ts';

/** Sizes of the work queue, read when metrics are asked for. */
export interface QueueSizes {
  readonly waiting: number;
  readonly running: number;
}

/** The metrics of this process. */
export interface Metrics {
  readonly subscriber: EventSubscriber;
  readonly contentType: string;
  /** The exposition text. */
  render(): Promise<string>;
}

const controller = 'application';

/** Guarantees: the series of an Application go when it goes. */
export function createMetrics(queueSizes: () => QueueSizes): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  addQueueGauges(registry, queueSizes);
  const series = createSeries(registry);
  return {
    subscriber: (event) => record(series, event),
    contentType: registry.contentType,
    render: () => registry.metrics(),
  };
}

type Series = ReturnType<typeof createSeries>;
const ofApplication = ['namespace', 'name'] as const;
const buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

function createSeries(registry: Registry) {
  const registers = [registry];
  const counter = <Label extends string>(name: string, help: string, labelNames: readonly Label[]): Counter<Label> =>
    new Counter({ name, help, labelNames, registers });
  const histogram = <Label extends string>(name: string, help: string, labelNames: readonly Label[]): Histogram<Label> =>
    new Histogram({ name, help, labelNames, buckets, registers });
  return {
    reconciles: counter('controller_runtime_reconcile_total', 'Looks at Applications by result.', ['controller', 'result']),
    reconcileErrors: counter('controller_runtime_reconcile_errors_total', 'Looks that failed.', ['controller']),
    reconcileTime: histogram('controller_runtime_reconcile_time_seconds', 'Time of one look.', ['controller']),
    queueAdds: counter('workqueue_adds_total', 'Turns taken in the work queue.', ['name']),
    queueRetries: counter('workqueue_retries_total', 'Turns that repeat a failed look.', ['name']),
    queueWait: histogram('workqueue_queue_duration_seconds', 'Time a key waited for its turn.', ['name']),
    queueWork: histogram('workqueue_work_duration_seconds', 'Time a turn took.', ['name']),
    requests: counter('rest_client_requests_total', 'Requests to the API server.', ['code', 'method', 'host']),
    leading: new Gauge({
      ...{ name: 'leader_election_master_status', help: 'Whether this operator leads (1) or is a standby (0).' },
      ...{ labelNames: ['name'], registers },
    }),
    states: addStateGauge(registry),
    appReconcileTime: histogram('setpoint_reconcile_duration_seconds', 'Time of one look at an Application.', ofApplication),
    syncs: counter('setpoint_sync_total', 'Syncs of an Application by result; looks that found nothing to do are not counted.', [
      ...ofApplication,
      'result',
    ]),
    drifts: counter('setpoint_drift_total', 'Changes by others to objects of an Application.', [...ofApplication, 'healed']),
    fights: counter('setpoint_drift_fights_total', 'Heals held back because somebody undoes them again and again.', ofApplication),
    fetches: counter('setpoint_git_fetch_total', 'Looks at Git repositories by result.', ['result']),
    fetchTime: histogram('setpoint_git_fetch_duration_seconds', 'Time of one look at a Git repository.', ['result']),
    renderTime: histogram('setpoint_render_duration_seconds', 'Time of one synth.', []),
    paused: new Gauge({ name: 'setpoint_paused', help: '1 while the whole installation is paused: no sync, heal or prune.', registers }),
    failures: counter('setpoint_failures_total', 'Failures by code.', ['code', 'stage']),
  };
}

interface StateLabels extends ApplicationLabels {
  readonly sync_status: string;
  readonly health_status: string;
}

/** States by Application; one series each, whatever states it had before. */
function addStateGauge(registry: Registry): Map<ApplicationKey, StateLabels> {
  const states = new Map<ApplicationKey, StateLabels>();
  const gauge: Gauge<keyof StateLabels> = new Gauge({
    name: 'setpoint_app_info',
    help: 'One per Application, with its state as labels.',
    labelNames: ['namespace', 'name', 'sync_status', 'health_status'],
    registers: [registry],
    collect: () => {
      gauge.reset();
      for (const labels of states.values()) gauge.set({ ...labels }, 1);
    },
  });
  return states;
}

function addQueueGauges(registry: Registry, queueSizes: () => QueueSizes): void {
  const gauge = (name: string, help: string, label: string, read: () => number): void => {
    const made: Gauge = new Gauge({
      name,
      help,
      labelNames: [label],
      registers: [registry],
      collect: () => made.set({ [label]: controller }, read()),
    });
  };
  gauge('workqueue_depth', 'Keys waiting for their turn.', 'name', () => queueSizes().waiting);
  gauge('controller_runtime_active_workers', 'Turns under way.', 'controller', () => queueSizes().running);
}

function record(series: Series, event: OperatorEvent): void {
  switch (event.type) {
    case 'reconciled':
      recordOutcome(series, event.application, event.outcome);
      break;
    case 'worked':
      series.queueAdds.inc({ name: controller });
      if (event.retry) series.queueRetries.inc({ name: controller });
      series.queueWait.observe({ name: controller }, event.waitedSeconds);
      series.queueWork.observe({ name: controller }, event.workedSeconds);
      break;
    case 'application-removed':
      removeApplication(series, event.application);
      break;
    case 'request':
      series.requests.inc({ code: String(event.code), method: event.method, host: event.host });
      break;
    case 'source-fetched':
      series.fetches.inc({ result: event.result });
      series.fetchTime.observe({ result: event.result }, event.seconds);
      break;
    case 'synthesized':
      if (!event.cached) series.renderTime.observe(event.seconds);
      break;
    case 'fight':
      series.fights.inc(labelsOf(event.application));
      break;
    case 'fields-taken-over':
    case 'mutated-by-admission':
      break;
    case 'drift':
      series.drifts.inc({ ...labelsOf(event.application), healed: String(event.drift.healed) });
      break;
    case 'failure':
      series.failures.inc({ code: event.error.code, stage: event.error.stage });
      break;
    case 'leadership':
      // client-go labels it with the name alone.
      series.leading.set({ name: event.lease.slice(event.lease.indexOf('/') + 1) }, event.role === 'leading' ? 1 : 0);
      break;
    case 'pause':
      series.paused.set(event.message === undefined ? 0 : 1);
      break;
    case 'suspension':
    case 'revision-seen':
    case 'history-rewritten':
    case 'claimed':
    case 'adopted':
    case 'inventory-rebuilt':
      break;
  }
}

function recordOutcome(series: Series, application: ApplicationKey, outcome: Outcome): void {
  const labels = labelsOf(application);
  const seconds = (outcome.finishedAt.getTime() - outcome.startedAt.getTime()) / 1_000;
  const { result, counts } = outcome;
  series.reconciles.inc({ controller, result: result.kind === 'failed' ? 'error' : 'success' });
  if (result.kind === 'failed') {
    series.reconcileErrors.inc({ controller });
    series.failures.inc({ code: result.error.code, stage: result.error.stage });
  }
  series.reconcileTime.observe({ controller }, seconds);
  series.appReconcileTime.observe(labels, seconds);
  const didNothing = result.kind === 'synced' && counts.create + counts.update + counts.prune === 0;
  if (!didNothing) series.syncs.inc({ ...labels, result: result.kind });
  series.states.set(application, { ...labels, sync_status: syncWord(outcome), health_status: outcome.health.state });
}

function removeApplication(series: Series, application: ApplicationKey): void {
  const labels = labelsOf(application);
  series.states.delete(application);
  series.appReconcileTime.remove(labels);
  for (const result of resultKinds) series.syncs.remove({ ...labels, result });
  series.fights.remove(labels);
  for (const healed of ['true', 'false']) series.drifts.remove({ ...labels, healed });
}

const resultKinds: readonly Outcome['result']['kind'][] = [
  'synced',
  'out-of-sync',
  'rejected',
  'failed',
  'applying',
  'progressing',
  'suspended',
];

function syncWord({ result }: Outcome): string {
  if (result.kind === 'synced' || result.kind === 'progressing') return 'Synced';
  return result.kind === 'rejected' || result.kind === 'out-of-sync' || result.kind === 'applying' ? 'OutOfSync' : 'Unknown';
}

type ApplicationLabels = { readonly namespace: string; readonly name: string };

function labelsOf(application: ApplicationKey): ApplicationLabels {
  const [namespace = '', name = ''] = application.split('/');
  return { namespace, name };
}
