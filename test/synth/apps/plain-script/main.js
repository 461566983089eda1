// CommonJS without TypeScript: the oldest style there is, with helpers that set the prototype up by hand.
const { App, Chart, ApiObject, Testing, Duration, Size, Cron } = require('cdk8s');
const kplus = require('cdk8s-plus-28');
const util = require('util');
const os = require('os');
const { make } = require('./lib/make');
const table = require('./table.json');

function OldChart(scope, id) {
  const self = Reflect.construct(Chart, [scope, id], OldChart);
  for (const [name, replicas] of Object.entries(table)) make(self, name, replicas);
  return self;
}
util.inherits(OldChart, Chart);
Object.setPrototypeOf(OldChart, Chart);

const app = new App({ outputFileExtension: '.k8s.yaml' });
const chart = new OldChart(app, 'Plain_Script.With-Odd.Name');
new ApiObject(chart, 'units', {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  data: { iso: Duration.hours(25).toIsoString(), size: String(Size.gibibytes(3).toKibibytes()), cron: Cron.daily().expressionString, eol: JSON.stringify(os.EOL), formatted: util.format('%s=%d %j', 'a', 1, { b: 2 }) },
});
const inMemory = Testing.app();
new kplus.ConfigMap(new Chart(inMemory, 'unseen'), 'unseen');
new ApiObject(chart, 'rendered', { apiVersion: 'v1', kind: 'ConfigMap', data: { yaml: inMemory.synthYaml() } });
app.synth();
