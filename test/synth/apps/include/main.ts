// Manifests that exist already, changed on their way: Include, JSON patches and metadata.
import { ApiObject, App, Chart, Include, JsonPatch, Yaml } from 'cdk8s';

const app = new App();
const chart = new Chart(app, 'include', { namespace: 'legacy', labels: { from: 'chart' } });
const included = new Include(chart, 'legacy', { url: 'legacy.yaml' });
for (const object of included.apiObjects) {
  object.metadata.addLabel('included', 'true');
  object.metadata.addAnnotation('example.com/kind', object.kind);
  if (object.kind === 'Deployment') {
    object.addJsonPatch(
      JsonPatch.replace('/spec/replicas', 5),
      JsonPatch.add('/spec/template/spec/containers/0/env', [{ name: 'A', value: 'b' }]),
      JsonPatch.remove('/spec/template/spec/containers/0/imagePullPolicy'),
      JsonPatch.copy('/spec/selector/matchLabels/app', '/metadata/labels/app'),
      JsonPatch.test('/kind', 'Deployment'),
    );
  }
}
for (const [index, document] of Yaml.load(`${__dirname}/more.yaml`).entries()) new ApiObject(chart, `more-${index}`, document);
app.synth();
