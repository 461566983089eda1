import { App, Chart, Size } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';
import images from './images.json';

interface WebAppProps {
  readonly host: string;
  readonly image: string;
}

/** A web server with its page, reachable from outside, scaled by load. */
class WebApp extends Chart {
  constructor(scope: Construct, id: string, props: WebAppProps) {
    super(scope, id, { labels: { app: 'web' } });

    const page = new kplus.ConfigMap(this, 'page', { metadata: { name: 'web-page' } });
    page.addFile('page/index.html', 'index.html');

    const deployment = new kplus.Deployment(this, 'deployment', {
      metadata: { name: 'web' },
      containers: [
        {
          image: props.image,
          portNumber: 8080,
          readiness: kplus.Probe.fromHttpGet('/'),
          liveness: kplus.Probe.fromTcpSocket(),
          resources: {
            cpu: { request: kplus.Cpu.millis(50), limit: kplus.Cpu.millis(500) },
            memory: { request: Size.mebibytes(32), limit: Size.mebibytes(128) },
          },
          volumeMounts: [
            { path: '/usr/share/nginx/html', volume: kplus.Volume.fromConfigMap(this, 'page-volume', page) },
            { path: '/tmp', volume: kplus.Volume.fromEmptyDir(this, 'tmp', 'tmp') },
          ],
        },
      ],
    });

    const service = deployment.exposeViaService({ name: 'web', ports: [{ port: 80, targetPort: 8080 }] });
    const ingress = new kplus.Ingress(this, 'ingress', { metadata: { name: 'web' } });
    ingress.addHostRule(props.host, '/', kplus.IngressBackend.fromService(service));

    new kplus.HorizontalPodAutoscaler(this, 'autoscaler', {
      metadata: { name: 'web' },
      target: deployment,
      minReplicas: 2,
      maxReplicas: 6,
      metrics: [kplus.Metric.resourceCpu(kplus.MetricTarget.averageUtilization(70))],
    });
  }
}

const app = new App();
new WebApp(app, 'web-app', { host: 'web.example.com', image: images.web });
app.synth();
