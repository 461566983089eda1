// The synth server: runs code from manifest repos, so it has no token, no rights, no way out to the network, and only the operator may call it.
import { Chart, type ChartProps } from 'cdk8s';
import { k8s } from 'cdk8s-plus-28';
import type { Construct } from 'constructs';
import { containerSecurity, podSecurity, resources, scratchVolume, secretVolume } from './hardened-pod.ts';
import { ports, selectorLabels, synthKeySecret, synthName, systemNamespace } from './names.ts';

/** Properties of {@link Synth}. */
export interface SynthProps extends ChartProps {
  /** Container image of Setpoint. */
  readonly image: string;
}

/** Deployment, Service and NetworkPolicy of the synth server. Scales by replicas. */
export class Synth extends Chart {
  constructor(scope: Construct, id: string, props: SynthProps) {
    super(scope, id, { ...props, namespace: systemNamespace });
    const labels = selectorLabels('synth');
    new k8s.KubeServiceAccount(this, 'service-account', { metadata: { name: synthName }, automountServiceAccountToken: false });
    new k8s.KubeDeployment(this, 'deployment', {
      metadata: { name: synthName, labels },
      spec: { replicas: 1, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: podSpec(props) } },
    });
    new k8s.KubeService(this, 'service', {
      metadata: { name: synthName, labels },
      spec: { selector: labels, ports: [{ name: 'synth', port: ports.synth, targetPort: k8s.IntOrString.fromString('synth') }] },
    });
    new k8s.KubeNetworkPolicy(this, 'network-policy', {
      metadata: { name: synthName, labels },
      spec: {
        podSelector: { matchLabels: labels },
        policyTypes: ['Ingress', 'Egress'],
        ingress: [
          {
            from: [{ podSelector: { matchLabels: selectorLabels('operator') } }],
            ports: [{ protocol: 'TCP', port: k8s.IntOrString.fromNumber(ports.synth) }],
          },
        ],
        egress: [],
      },
    });
  }
}

function podSpec({ image }: SynthProps): k8s.PodSpec {
  const temporary = scratchVolume('tmp', '/tmp', '256Mi');
  const key = secretVolume('synth-key', synthKeySecret, '/etc/setpoint/synth');
  return {
    serviceAccountName: synthName,
    automountServiceAccountToken: false,
    // Addresses of the cluster's Services belong to what guests must not learn.
    enableServiceLinks: false,
    securityContext: podSecurity,
    containers: [
      {
        name: 'synth',
        image,
        args: ['synth-server', `--address=:${ports.synth}`, `--key-file=${key.mount.mountPath}/key`],
        ports: [{ name: 'synth', containerPort: ports.synth }],
        readinessProbe: { tcpSocket: { port: k8s.IntOrString.fromString('synth') }, periodSeconds: 5 },
        resources: resources('250m', '512Mi', '2Gi'),
        securityContext: containerSecurity,
        volumeMounts: [temporary.mount, key.mount],
      },
    ],
    volumes: [temporary.volume, key.volume],
  };
}
