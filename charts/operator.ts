// The operator's Deployment, Lease, PodDisruptionBudget, Service and NetworkPolicy. Its rights are in access-rules.ts.
import { Chart, type ChartProps } from 'cdk8s';
import { k8s } from 'cdk8s-plus-28';
import type { Construct } from 'constructs';
import { containerSecurity, podSecurity, resources, scratchVolume, secretVolume } from './hardened-pod.ts';
import { operatorName, ports, selectorLabels, synthKeySecret, synthName, systemNamespace } from './names.ts';

/** Properties of {@link Operator}. */
export interface OperatorProps extends ChartProps {
  /** Container image of Setpoint. */
  readonly image: string;
  /** Secret of the same namespace whose key `secret` signs webhook calls. @default webhook calls are refused */
  readonly webhookSecretName?: string;
}

/** How many operators run: one acts, the other takes over at once when it ends and within seconds when it dies. */
const replicas = 2;

/** Replicas of which the one that holds the Lease acts. */
export class Operator extends Chart {
  constructor(scope: Construct, id: string, props: OperatorProps) {
    super(scope, id, { ...props, namespace: systemNamespace });
    new k8s.KubeServiceAccount(this, 'service-account', { metadata: { name: operatorName } });
    const labels = selectorLabels('operator');
    new k8s.KubeDeployment(this, 'deployment', {
      metadata: { name: operatorName, labels },
      spec: {
        replicas,
        strategy: {
          type: 'RollingUpdate',
          rollingUpdate: { maxSurge: k8s.IntOrString.fromNumber(1), maxUnavailable: k8s.IntOrString.fromNumber(0) },
        },
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: podSpec(props) },
      },
    });
    // Held by nobody: the first operator need not wait to be sure that no other acts, as it must where the Lease is missing.
    new k8s.KubeLease(this, 'lease', { metadata: { name: operatorName, labels } });
    new k8s.KubePodDisruptionBudget(this, 'disruption-budget', {
      metadata: { name: operatorName, labels },
      spec: { maxUnavailable: k8s.IntOrString.fromNumber(1), selector: { matchLabels: labels } },
    });
    new k8s.KubeService(this, 'service', {
      metadata: { name: operatorName, labels },
      spec: {
        selector: labels,
        ports: [
          { name: 'http', port: 80, targetPort: k8s.IntOrString.fromString('http') },
          { name: 'metrics', port: ports.metrics, targetPort: k8s.IntOrString.fromString('metrics') },
        ],
      },
    });
    new k8s.KubeNetworkPolicy(this, 'network-policy', {
      metadata: { name: operatorName, labels },
      spec: {
        podSelector: { matchLabels: labels },
        policyTypes: ['Ingress'],
        ingress: [{ ports: [ports.api, ports.metrics].map((port) => ({ protocol: 'TCP', port: k8s.IntOrString.fromNumber(port) })) }],
      },
    });
  }
}

/** One lost node should not take both. */
const onAnotherNode: k8s.WeightedPodAffinityTerm = {
  weight: 100,
  podAffinityTerm: { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: selectorLabels('operator') } },
};

function podSpec({ image, webhookSecretName }: OperatorProps): k8s.PodSpec {
  const data = scratchVolume('data', '/var/lib/setpoint', '2Gi');
  const temporary = scratchVolume('tmp', '/tmp', '256Mi');
  // Optional, because on the first start the operator itself makes this Secret.
  const key = secretVolume('synth-key', synthKeySecret, '/etc/setpoint/synth', true);
  const webhook = webhookSecretName === undefined ? [] : [secretVolume('webhook', webhookSecretName, '/etc/setpoint/webhook')];
  const volumes = [data, temporary, key, ...webhook];
  const probe = (path: string): k8s.Probe => ({ httpGet: { path, port: k8s.IntOrString.fromString('http') }, periodSeconds: 10 });
  return {
    serviceAccountName: operatorName,
    securityContext: podSecurity,
    affinity: { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [onAnotherNode] } },
    containers: [
      {
        name: 'operator',
        image,
        args: [
          'operator',
          '--leader-elect',
          '--advertise-address=$(POD_IP)',
          `--api-address=:${ports.api}`,
          `--metrics-address=:${ports.metrics}`,
          `--data-dir=${data.mount.mountPath}`,
          `--synth-address=${synthName}.${systemNamespace}.svc:${ports.synth}`,
          `--synth-key-file=${key.mount.mountPath}/key`,
          ...webhook.map(({ mount }) => `--webhook-secret-file=${mount.mountPath}/secret`),
        ],
        env: [{ name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }],
        ports: [
          { name: 'http', containerPort: ports.api },
          { name: 'metrics', containerPort: ports.metrics },
        ],
        startupProbe: { ...probe('/healthz'), periodSeconds: 2, failureThreshold: 60 },
        livenessProbe: probe('/healthz'),
        readinessProbe: probe('/readyz'),
        resources: resources('100m', '256Mi', '1Gi'),
        securityContext: containerSecurity,
        volumeMounts: volumes.map(({ mount }) => mount),
      },
    ],
    volumes: volumes.map(({ volume }) => volume),
  };
}
