// Who may do what, and who may talk to whom: RBAC and network policies.
import { App, Chart } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';

const app = new App();
const chart = new Chart(app, 'access', { namespace: 'secure', disableResourceNameHashes: true });
const namespace = new kplus.Namespace(chart, 'namespace', { metadata: { name: 'secure', labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } } });
const account = new kplus.ServiceAccount(chart, 'account', { automountToken: false });
const reader = new kplus.Role(chart, 'reader');
reader.allowRead(kplus.ApiResource.PODS, kplus.ApiResource.CONFIG_MAPS);
reader.allow(['create', 'patch'], kplus.ApiResource.EVENTS);
const cluster = new kplus.ClusterRole(chart, 'cluster');
cluster.allowRead(kplus.ApiResource.NODES, kplus.NonApiResource.of('/healthz'));
cluster.aggregate('rbac.example.com/aggregate', 'true');
reader.bind(account, kplus.User.fromName(chart, 'alice', 'alice@example.com'), kplus.Group.fromName(chart, 'ops', 'ops'));
cluster.bindInNamespace('secure', account);
cluster.bind(account);

const web = new kplus.Deployment(chart, 'web', { serviceAccount: account, containers: [{ image: 'nginx', portNumber: 80 }] });
const cache = new kplus.Deployment(chart, 'cache', { containers: [{ image: 'redis', portNumber: 6379 }], replicas: 1 });
web.connections.allowTo(cache, { ports: [kplus.NetworkPolicyPort.tcp(6379)] });
web.connections.allowFrom(kplus.Namespaces.select(chart, 'ingress', { names: ['ingress'] }), { ports: [kplus.NetworkPolicyPort.tcpRange(8000, 9000)] });
new kplus.NetworkPolicy(chart, 'deny', {
  selector: kplus.Pods.all(chart, 'all'),
  egress: { default: kplus.NetworkPolicyTrafficDefault.DENY, rules: [{ peer: kplus.NetworkPolicyIpBlock.ipv4(chart, 'dns', '10.0.0.0/8', ['10.1.0.0/16']), ports: [kplus.NetworkPolicyPort.of({ port: 53, protocol: kplus.NetworkProtocol.UDP })] }] },
  ingress: { default: kplus.NetworkPolicyTrafficDefault.DENY },
});
new kplus.Secret(chart, 'docker', { type: 'kubernetes.io/dockerconfigjson', stringData: { '.dockerconfigjson': '{"auths":{}}' }, immutable: true });
new kplus.BasicAuthSecret(chart, 'basic', { username: 'u', password: 'p' });
new kplus.TlsSecret(chart, 'tls', { tlsCert: 'cert', tlsKey: 'key' });
web.node.addDependency(namespace);
app.synth();
