// ConfigMaps and Secrets made from files and folders of the repository.
import * as fs from 'fs';
import * as path from 'path';
import { createHash } from 'crypto';
import { App, Chart, Yaml } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';

const app = new App();
const chart = new Chart(app, 'config-files');
const all = new kplus.ConfigMap(chart, 'all');
all.addDirectory(path.join(__dirname, 'files', 'dashboards'), { exclude: ['*.md'], keyPrefix: 'dash-' });
all.addFile('files/app.conf');
all.addFile(path.resolve('files/app.conf'), 'renamed.conf');
all.addBinaryData('raw', Buffer.from(fs.readFileSync('binary/bytes.bin')).toString('base64'));
const values = Yaml.load('files/values.yaml')[0];
const json = JSON.parse(fs.readFileSync(path.join(__dirname, 'files/data.json'), { encoding: 'utf-8' }));
const names = fs.readdirSync('files').filter((name) => fs.statSync(`files/${name}`).isFile());
const hash = createHash('sha256').update(fs.readFileSync('files/app.conf')).digest('hex').slice(0, 16);
new kplus.ConfigMap(chart, 'derived', {
  metadata: { annotations: { 'checksum/config': hash, names: names.join(',') } },
  data: { values: Yaml.stringify(values), json: JSON.stringify(json, null, 2), list: fs.readdirSync('files/dashboards', { withFileTypes: true }).map((entry) => `${entry.name}${entry.isDirectory() ? '/' : ''}`).join('\n') },
});
app.synth();
