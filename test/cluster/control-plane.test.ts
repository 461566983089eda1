// The control plane the tests run on is a real one: controllers act, pods become ready, RBAC decides.
import { describe, expect, test } from '@jest/globals';
import { connectWithKubeconfig } from '../../dev/control-plane/api-client.ts';
import { admin, eventually, kubectl, serviceAccountKubeconfig, testNamespace } from '../support/cluster.ts';

const containers = [{ name: 'main', image: 'registry.example/web:1' }];

function deployment(namespace: string, annotations: Record<string, string> = {}) {
  const labels = { app: 'web' };
  const template = { metadata: { labels, annotations }, spec: { containers } };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace },
    spec: { replicas: 3, selector: { matchLabels: labels }, template },
  };
}

function job(namespace: string, annotations: Record<string, string> = {}) {
  const template = { metadata: { annotations }, spec: { restartPolicy: 'Never', containers } };
  return { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'migrate', namespace }, spec: { backoffLimit: 0, template } };
}

describe('the control plane', () => {
  test('is of the version it says, server and kubectl alike', async () => {
    const version = JSON.parse(await kubectl(['version', '-o', 'json']));
    expect(version).toMatchObject({
      clientVersion: { gitVersion: 'v1.36.3' },
      serverVersion: { gitVersion: 'v1.36.3', major: '1', minor: '36' },
    });
  });

  test('brings the pods of a Deployment up to 3/3 Ready', async () => {
    const namespace = await testNamespace();
    const { metadata } = await admin().apply(deployment(namespace));
    const ref = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', namespace };
    await eventually(async () =>
      expect((await admin().get(ref)).status).toMatchObject({ readyReplicas: 3, observedGeneration: metadata.generation }),
    );
  });

  test('completes a Job, and fails one that is asked to fail', async () => {
    const good = await testNamespace();
    const bad = await testNamespace();
    await admin().apply(job(good));
    await admin().apply(job(bad, { 'dev.setpoint.dev/outcome': 'fail' }));
    const conditions = async (namespace: string): Promise<string[]> => {
      const { status } = await admin().get({ apiVersion: 'batch/v1', kind: 'Job', name: 'migrate', namespace });
      return (status.conditions ?? []).map(({ type }: { type: string }) => type);
    };
    await eventually(async () => expect(await conditions(good)).toContain('Complete'));
    await eventually(async () => expect(await conditions(bad)).toContain('Failed'));
  });

  test.each([
    ['image-pull-error', 'ImagePullBackOff'],
    ['crash-loop', 'CrashLoopBackOff'],
  ])('keeps pods with the outcome %s waiting in %s', async (outcome, reason) => {
    const namespace = await testNamespace();
    await admin().apply(deployment(namespace, { 'dev.setpoint.dev/outcome': outcome }));
    await eventually(async () => {
      const pods = await admin().list('v1', 'Pod', { namespace });
      expect(pods.map(({ status }) => status.containerStatuses?.[0].state.waiting?.reason)).toEqual([reason, reason, reason]);
    });
  });

  test('lets a deleted namespace go with everything in it', async () => {
    const namespace = await testNamespace();
    await admin().apply(deployment(namespace));
    await eventually(async () => expect(await admin().list('v1', 'Pod', { namespace })).toHaveLength(3));
    await admin().delete({ apiVersion: 'v1', kind: 'Namespace', name: namespace });
    // The controller has the namespaces of all other tests to empty as well.
    await eventually(async () => expect(await admin().tryGet({ apiVersion: 'v1', kind: 'Namespace', name: namespace })).toBeUndefined(), {
      timeout: 120_000,
    });
  }, 150_000);

  test('knows a ServiceAccount by its token and refuses what RBAC does not grant', async () => {
    const namespace = await testNamespace();
    const client = connectWithKubeconfig(await serviceAccountKubeconfig(namespace, 'reader'));
    try {
      const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
      const me = await client.json<{ status: { userInfo: { username: string } } }>('/apis/authentication.k8s.io/v1/selfsubjectreviews', {
        method: 'POST',
        body: review,
      });
      expect(me.status.userInfo.username).toBe(`system:serviceaccount:${namespace}:reader`);
      expect((await client.send(`/api/v1/namespaces/${namespace}/secrets`)).status).toBe(403);
    } finally {
      await client.close();
    }
  });
});
