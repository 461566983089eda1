// One file per resource in one folder per chart, two apps, and names of classes as ids.
import { App, Chart, YamlOutputType } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import { Construct } from 'constructs';

class Frontend extends Construct {
  static readonly instances: Frontend[] = [];
  constructor(scope: Construct, id = Frontend.name) {
    super(scope, id);
    Frontend.instances.push(this);
    new kplus.Deployment(this, this.constructor.name, { containers: [{ image: `nginx:${Frontend.instances.length}`, portNumber: 80 }] }).exposeViaService({ ports: [{ port: 80 }] });
  }
}
class Backend extends Frontend {}

const app = new App({ yamlOutputType: YamlOutputType.FOLDER_PER_CHART_FILE_PER_RESOURCE });
for (const stage of ['prod', 'dev']) {
  const chart = new Chart(app, stage, { namespace: stage });
  new Frontend(chart);
  new Backend(chart, Backend.name + process.argv.length);
}
app.synth();
const second = new App({ yamlOutputType: YamlOutputType.FILE_PER_APP });
new Frontend(new Chart(second, 'second'));
second.synth();
