// Which series exist, and that they go with their Application.
import { describe, expect, test } from '@jest/globals';
import { createMetrics } from '../../operator/metrics/metrics.ts';
import { OperatorError } from '../../operator/model/error.ts';
import type { OperatorEvent } from '../../operator/model/event.ts';
import type { Outcome } from '../../operator/model/outcome.ts';
import { outcomeOf } from '../events/fixtures.ts';

function reconciled(outcome: Partial<Outcome> = {}): OperatorEvent {
  return { type: 'reconciled', application: 'shop/web', uid: 'u', syncId: 's', outcome: outcomeOf(outcome) };
}

async function exposed(events: readonly OperatorEvent[]): Promise<string[]> {
  const metrics = createMetrics(() => ({ waiting: 2, running: 1 }));
  for (const event of events) metrics.subscriber(event);
  return (await metrics.render()).split('\n').filter((line) => !line.startsWith('#'));
}

describe('metrics', () => {
  test('standard names of controllers are there', async () => {
    const error = new OperatorError('x', { code: 'FetchFailed', stage: 'source', fate: 'transient' });
    const lines = await exposed([
      reconciled(),
      reconciled({ result: { kind: 'failed', error, objects: [] } }),
      { type: 'worked', waitedSeconds: 0.1, workedSeconds: 0.2, retry: true },
      { type: 'request', method: 'PATCH', code: 200, host: 'api:6443' },
    ]);
    expect(lines).toEqual(
      expect.arrayContaining([
        'controller_runtime_reconcile_total{controller="application",result="success"} 1',
        'controller_runtime_reconcile_total{controller="application",result="error"} 1',
        'controller_runtime_reconcile_errors_total{controller="application"} 1',
        'controller_runtime_reconcile_time_seconds_count{controller="application"} 2',
        'workqueue_depth{name="application"} 2',
        'workqueue_adds_total{name="application"} 1',
        'workqueue_retries_total{name="application"} 1',
        'workqueue_queue_duration_seconds_sum{name="application"} 0.1',
        'workqueue_work_duration_seconds_sum{name="application"} 0.2',
        'rest_client_requests_total{code="200",method="PATCH",host="api:6443"} 1',
        'controller_runtime_active_workers{controller="application"} 1',
      ]),
    );
  });

  test('who leads is told by the name of the Lease', async () => {
    const led = { type: 'leadership', lease: 'ops/setpoint-operator', identity: 'a' } as const;
    expect(await exposed([{ ...led, role: 'standby' }])).toContain('leader_election_master_status{name="setpoint-operator"} 0');
    expect(await exposed([{ ...led, role: 'leading' }])).toContain('leader_election_master_status{name="setpoint-operator"} 1');
    expect(
      await exposed([
        { ...led, role: 'leading' },
        { ...led, role: 'lost' },
      ]),
    ).toContain('leader_election_master_status{name="setpoint-operator"} 0');
    expect((await exposed([])).join()).not.toContain('leader_election');
  });

  test('an Application has one info series, with its present state', async () => {
    const lines = await exposed([reconciled({ health: { state: 'Progressing', message: '' } }), reconciled()]);
    expect(lines.filter((line) => line.startsWith('setpoint_app_info'))).toEqual([
      'setpoint_app_info{namespace="shop",name="web",sync_status="Synced",health_status="Healthy"} 1',
    ]);
  });

  test('looks that found nothing to do are not counted as syncs', async () => {
    const wrote = { create: 0, update: 1, unchanged: 2, prune: 0, skip: 0, conflict: 0 };
    const lines = await exposed([reconciled({ result: { kind: 'synced', changed: false } }), reconciled({ counts: wrote })]);
    expect(lines).toContain('setpoint_sync_total{namespace="shop",name="web",result="synced"} 1');
  });

  test('fetches and renders are timed', async () => {
    const lines = await exposed([
      { type: 'source-fetched', url: 'https://x', result: 'unchanged', seconds: 0.5 },
      { type: 'synthesized', application: 'shop/web', objects: 3, seconds: 0.25, cached: false },
      { type: 'synthesized', application: 'shop/web', objects: 3, seconds: 0, cached: true },
    ]);
    expect(lines).toEqual(
      expect.arrayContaining([
        'setpoint_git_fetch_total{result="unchanged"} 1',
        'setpoint_render_duration_seconds_count 1',
        'setpoint_render_duration_seconds_sum 0.25',
      ]),
    );
  });

  test('no series of an Application outlives it', async () => {
    const lines = await exposed([
      reconciled({ result: { kind: 'suspended', cause: 'spec', message: 'suspended' } }),
      reconciled({
        result: { kind: 'synced', changed: true },
        counts: { create: 1, update: 0, unchanged: 0, prune: 0, skip: 0, conflict: 0 },
      }),
      { type: 'application-removed', application: 'shop/web' },
    ]);
    expect(lines.filter((line) => line.includes('namespace="shop"'))).toEqual([]);
  });
});
