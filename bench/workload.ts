// The applications that are measured: N small objects, a fifth each ConfigMap, Service, Deployment without replicas, ServiceAccount and Role. No timing here.

/** Files of a manifest repo: path → text. */
export type RepoFiles = Readonly<Record<string, string>>;

const entry = `import { App, Chart, ApiObject } from 'cdk8s';
import * as data from './data.json';

const app = new App();
for (let start = 0; start < data.objects; start += 500) {
  const chart = new Chart(app, 'part-' + start);
  for (let n = start; n < Math.min(start + 500, data.objects); n++) declare(chart, n);
}
app.synth();

function declare(chart: Chart, n: number): void {
  const metadata = { name: 'o-' + n, labels: { app: 'bench' } };
  const template = { metadata: { labels: { o: 'o-' + n } }, spec: { containers: [{ name: 'main', image: 'registry.test/app:1', ports: [{ containerPort: 8080 }] }] } };
  switch (n % 5) {
    case 0: new ApiObject(chart, 'c' + n, { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { value: n === 0 ? data.value : 'v', n: String(n) } }); break;
    case 1: new ApiObject(chart, 's' + n, { apiVersion: 'v1', kind: 'Service', metadata, spec: { selector: { o: 'o-' + n }, ports: [{ port: 80, targetPort: 8080 }] } }); break;
    case 2: new ApiObject(chart, 'd' + n, { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: { replicas: 0, selector: { matchLabels: { o: 'o-' + n } }, template } }); break;
    case 3: new ApiObject(chart, 'a' + n, { apiVersion: 'v1', kind: 'ServiceAccount', metadata }); break;
    default: new ApiObject(chart, 'r' + n, { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata, rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }] });
  }
}
`;

/** A cdk8s app with `objects` objects; `value` ends up in ConfigMap `o-0` and nowhere else. */
export function workload(objects: number, value: string): RepoFiles {
  return {
    'cdk8s.yaml': 'language: typescript\napp: npx ts-node main.ts\n',
    'main.ts': entry,
    'data.json': `${JSON.stringify({ objects, value })}\n`,
    'package.json': '{ "name": "bench", "private": true }\n',
    'tsconfig.json':
      '{ "compilerOptions": { "target": "es2022", "module": "commonjs", "strict": true, "esModuleInterop": true, "resolveJsonModule": true } }\n',
  };
}

/** A small app written with cdk8s-plus: ten Deployments with Service and ConfigMap, 30 objects. */
export function plusWorkload(): RepoFiles {
  return {
    'cdk8s.yaml': 'language: typescript\napp: npx ts-node main.ts\n',
    'main.ts': `import { App, Chart } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
const app = new App();
for (let n = 0; n < 10; n++) {
  const chart = new Chart(app, 'web-' + n);
  const config = new kplus.ConfigMap(chart, 'config', { data: { n: String(n) } });
  const deployment = new kplus.Deployment(chart, 'web', { replicas: 0, containers: [{ image: 'registry.test/app:1', portNumber: 80, envVariables: { N: kplus.EnvValue.fromConfigMap(config, 'n') } }] });
  deployment.exposeViaService();
}
app.synth();
`,
  };
}

/** The same N objects as plain JSON, for the floor: what a loop of applies would send. */
export function plainObjects(objects: number): readonly Record<string, unknown>[] {
  return Array.from({ length: objects }, (_, n) => plainObject(n));
}

function plainObject(n: number): Record<string, unknown> {
  const metadata = { name: `o-${n}`, labels: { app: 'bench' } };
  const labels = { o: `o-${n}` };
  switch (n % 5) {
    case 0:
      return { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { value: 'v', n: String(n) } };
    case 1:
      return { apiVersion: 'v1', kind: 'Service', metadata, spec: { selector: labels, ports: [{ port: 80, targetPort: 8080 }] } };
    case 2: {
      const containers = [{ name: 'main', image: 'registry.test/app:1', ports: [{ containerPort: 8080 }] }];
      const template = { metadata: { labels }, spec: { containers } };
      return { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: { replicas: 0, selector: { matchLabels: labels }, template } };
    }
    case 3:
      return { apiVersion: 'v1', kind: 'ServiceAccount', metadata };
    default: {
      const rules = [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }];
      return { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata, rules };
    }
  }
}
