// Values that are known late, resolvers of the app's own, and objects that are changed through escape hatches.
import { ApiObject, App, Chart, GroupVersionKind, IResolver, JsonPatch, Lazy, Names, ResolutionContext } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import * as k8s from 'cdk8s-plus-28/lib/imports/k8s';

class Upper implements IResolver {
  resolve(context: ResolutionContext): void {
    if (typeof context.value === 'string' && context.value.startsWith('upper:')) context.replaceValue(context.value.slice(6).toUpperCase());
  }
}

function build(app: App): void {
  const chart = new Chart(app, 'lazy');
  const counted: string[] = [];
  new ApiObject(chart, 'late', {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    data: Lazy.any({ produce: () => ({ count: String(counted.length), names: counted.join(','), nested: Lazy.any({ produce: () => 'upper:deep' }) }) }) as any,
  });
  const deployment = new kplus.Deployment(chart, 'web', { containers: [{ image: 'nginx', portNumber: 80 }] });
  counted.push(deployment.name, Names.toLabelValue(deployment), Names.toDnsLabel(chart, { extra: ['x'], maxLen: 20 }));
  const raw = ApiObject.of(deployment);
  raw.addJsonPatch(JsonPatch.add('/spec/template/spec/hostAliases', [{ ip: '127.0.0.1', hostnames: ['a.example'] }]));
  raw.metadata.addLabel('raw', 'yes');
  raw.metadata.add('finalizers', ['example.com/keep']);
  new k8s.KubePodDisruptionBudget(chart, 'budget', { spec: { maxUnavailable: k8s.IntOrString.fromString('10%'), selector: { matchLabels: { a: 'b' } } } });
  new k8s.KubeResourceQuota(chart, 'quota', { spec: { hard: { 'requests.cpu': k8s.Quantity.fromNumber(4), 'limits.memory': k8s.Quantity.fromString('8Gi') } } });
  const gvk: GroupVersionKind = k8s.KubeService.GVK;
  new ApiObject(chart, 'manifest', { ...gvk, ...k8s.KubeService.manifest({ spec: { ports: [{ port: 1, targetPort: k8s.IntOrString.fromNumber(2) }] } }) });
  new ApiObject(chart, 'odd', { apiVersion: 'v1', kind: 'Odd', '10': 'ten', '9': 'nine', list: [undefined, null, 0, '', false, [], {}], text: 'null', float: 1e21, negative: -0.5, unicode: '\u2028 é 🙂' } as any);
}

build(new App());
const app = new App({ resolvers: [new Upper()] });
build(app);
app.synth();
