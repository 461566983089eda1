// A web service with probes, volumes, scaling, an Ingress and settings.
import { App, Chart, ChartProps, Duration, Size } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import { Construct } from 'constructs';

class WebService extends Chart {
  constructor(scope: Construct, id: string, props: ChartProps = {}) {
    super(scope, id, props);
    const settings = new kplus.ConfigMap(this, 'settings', { data: { LOG_LEVEL: 'info', EMPTY: '', NUMBER: '42', YES: 'yes' } });
    const password = new kplus.Secret(this, 'password', { stringData: { password: 'not a real one' } });
    const scratch = kplus.Volume.fromEmptyDir(this, 'scratch', 'scratch', { sizeLimit: Size.mebibytes(64) });
    const config = kplus.Volume.fromConfigMap(this, 'config', settings, { items: { LOG_LEVEL: { path: 'log/level' } }, defaultMode: 0o644 });
    const deployment = new kplus.Deployment(this, 'deployment', {
      metadata: { annotations: { 'example.com/owner': 'shop', 'example.com/multiline': 'a\nb\n' } },
      podMetadata: { labels: { tier: 'web' } },
      minReady: Duration.seconds(10),
      progressDeadline: Duration.minutes(20),
      strategy: kplus.DeploymentStrategy.rollingUpdate({ maxSurge: kplus.PercentOrAbsolute.percent(50), maxUnavailable: kplus.PercentOrAbsolute.absolute(0) }),
      securityContext: { fsGroup: 1000, user: 1000, ensureNonRoot: true },
      terminationGracePeriod: Duration.minutes(2),
    });
    const container = deployment.addContainer({
      name: 'web',
      image: 'registry.example.com/web:1.4.2',
      portNumber: 8080,
      args: ['--listen', ':8080'],
      command: ['/bin/web'],
      workingDir: '/srv',
      envFrom: [kplus.Env.fromConfigMap(settings, 'APP_')],
      envVariables: {
        PASSWORD: kplus.EnvValue.fromSecretValue({ secret: password, key: 'password' }),
        POD: kplus.EnvValue.fromFieldRef(kplus.EnvFieldPaths.POD_NAME),
        LIMIT: kplus.EnvValue.fromResource(kplus.ResourceFieldPaths.MEMORY_LIMIT),
        PLAIN: kplus.EnvValue.fromValue('true'),
      },
      liveness: kplus.Probe.fromHttpGet('/healthz', { initialDelaySeconds: Duration.seconds(5), periodSeconds: Duration.seconds(20) }),
      readiness: kplus.Probe.fromCommand(['/bin/ready', '--fast'], { failureThreshold: 2 }),
      startup: kplus.Probe.fromTcpSocket({ port: 8080 }),
      lifecycle: { preStop: kplus.Handler.fromCommand(['sleep', '5']) },
      resources: { cpu: { request: kplus.Cpu.millis(50), limit: kplus.Cpu.units(1) }, memory: { request: Size.mebibytes(64), limit: Size.gibibytes(1) }, ephemeralStorage: { limit: Size.gibibytes(2) } },
      securityContext: { readOnlyRootFilesystem: true, allowPrivilegeEscalation: false },
    });
    container.mount('/tmp', scratch);
    container.mount('/etc/web', config, { readOnly: true });
    deployment.addInitContainer({ image: 'registry.example.com/migrate:1.4.2', command: ['migrate'] });
    deployment.scheduling.spread({ topology: kplus.Topology.ZONE });
    deployment.scheduling.tolerate(kplus.Node.tainted(kplus.NodeTaintQuery.is('dedicated', 'web')));
    const service = deployment.exposeViaService({ ports: [{ port: 80, targetPort: 8080, name: 'http' }], serviceType: kplus.ServiceType.CLUSTER_IP });
    new kplus.HorizontalPodAutoscaler(this, 'scaling', {
      target: deployment,
      minReplicas: 2,
      maxReplicas: 10,
      metrics: [kplus.Metric.resourceCpu(kplus.MetricTarget.averageUtilization(70)), kplus.Metric.resourceMemory(kplus.MetricTarget.averageValue(500))],
      scaleDown: { stabilizationWindow: Duration.minutes(10), policies: [{ replicas: kplus.Replicas.percent(20), duration: Duration.minutes(1) }] },
    });
    const ingress = new kplus.Ingress(this, 'ingress', { className: 'nginx' });
    ingress.addHostRule('shop.example.com', '/', kplus.IngressBackend.fromService(service), kplus.HttpIngressPathType.EXACT);
    ingress.addHostRule('shop.example.com', '/api', kplus.IngressBackend.fromService(service));
    ingress.addTls([{ hosts: ['shop.example.com'], secret: kplus.Secret.fromSecretName(this, 'tls', 'shop-tls') }]);
  }
}

const app = new App();
new WebService(app, 'web-service', { namespace: 'shop', labels: { team: 'shop', 'app.kubernetes.io/part-of': 'shop' } });
app.synth();
