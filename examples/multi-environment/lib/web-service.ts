import { Chart } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';
import type { Environment } from './environment';

export interface WebServiceProps {
  readonly environment: Environment;
  readonly image: string;
  readonly port: number;
  /** Environment variables besides those every service gets. */
  readonly variables?: Readonly<Record<string, string>>;
}

/** How this company runs a service: the same for every app, different only by environment. */
export class WebService extends Chart {
  readonly deployment: kplus.Deployment;

  constructor(scope: Construct, id: string, { environment, image, port, variables = {} }: WebServiceProps) {
    super(scope, id, { labels: { 'app.kubernetes.io/name': id, 'example.com/environment': environment.name } });

    const settings = new kplus.ConfigMap(this, 'settings', {
      metadata: { name: `${id}-settings` },
      data: { LOG_LEVEL: environment.logLevel, PUBLIC_URL: `https://${id}.${environment.domain}`, ...variables },
    });
    this.deployment = new kplus.Deployment(this, 'deployment', {
      metadata: { name: id },
      replicas: environment.replicas,
      containers: [{ image, portNumber: port, envFrom: [kplus.Env.fromConfigMap(settings)] }],
    });
    const service = this.deployment.exposeViaService({ name: id, ports: [{ port: 80, targetPort: port }] });
    const ingress = new kplus.Ingress(this, 'ingress', { metadata: { name: id } });
    ingress.addHostRule(`${id}.${environment.domain}`, '/', kplus.IngressBackend.fromService(service));

    if (environment.name === 'prod') this.deployment.scheduling.separate(this.deployment);
  }
}
