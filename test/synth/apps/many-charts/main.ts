// Charts within charts, ids that are numbers, dependencies in every direction, and one file per resource.
import { ApiObject, App, Chart, YamlOutputType } from 'cdk8s';
import { Construct, Dependable } from 'constructs';

const object = (scope: Construct, id: string, kind = 'ConfigMap') => new ApiObject(scope, id, { apiVersion: 'v1', kind, metadata: { annotations: { path: scope.node.path } } });

class Platform extends Chart {
  readonly network: Construct;
  constructor(scope: Construct, id: string) {
    super(scope, id, { namespace: 'platform' });
    this.network = new Construct(this, 'network');
    for (const name of ['10', '9', 'b', 'a']) object(this.network, name);
    const inner = new Chart(this, 'inner', { labels: { level: 'inner' } });
    object(inner, 'x');
    object(inner, 'z').addDependency(object(new Chart(inner, 'innermost'), 'y'));
    object(this, 'own', 'Secret');
  }
}

const app = new App({ yamlOutputType: YamlOutputType.FILE_PER_CHART, outputFileExtension: '.yaml' });
const platform = new Platform(app, 'platform');
const shop = new Chart(app, '2-shop');
const blog = new Chart(app, '1');
const web = object(shop, 'web', 'Deployment');
const first = object(shop, 'first');
web.addDependency(first, platform.network);
blog.addDependency(shop);
object(blog, 'post').addDependency(web);
const group = new Construct(blog, 'group');
object(group, 'grouped');
Dependable.implement(group, { dependencyRoots: [first] });
object(blog, 'last').node.addDependency(group);
app.synth();
