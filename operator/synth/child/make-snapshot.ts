// Build step: turns the library script into a V8 snapshot. Run once per toolchain in a process of its own, before any app exists.
import { readFileSync, writeFileSync } from 'node:fs';
import ivm from 'isolated-vm';

/** Arguments of the program: the script, and where the snapshot goes. */
const [script = '', target = ''] = process.argv.slice(2);

/** Exercises what every app does, so that the compiled functions are part of the snapshot. Its objects are not. */
const warmUp = `(() => {
  const call = (operation) => '+' + (operation === 'stat' ? 'none' : operation === 'list' ? '[]' : '0'.repeat(40));
  __setpoint.start(call, JSON.stringify({ cwd: '/repo', argv: [], environment: {}, output: 'dist' }));
  __setpoint.run((require) => {
    const { App, Chart, ApiObject } = require('cdk8s');
    const plus = require('cdk8s-plus-28');
    const app = new App();
    const chart = new Chart(app, 'chart', { namespace: 'warm', labels: { a: 'b' } });
    const deployment = new plus.Deployment(chart, 'web', { replicas: 2, containers: [{ image: 'nginx:1', portNumber: 80, envVariables: { A: plus.EnvValue.fromValue('b') } }] });
    const service = deployment.exposeViaService();
    new plus.ConfigMap(chart, 'config', { data: { a: 'b' } });
    const object = new ApiObject(chart, 'object', { apiVersion: 'v1', kind: 'ConfigMap', data: { list: [1, { a: 2 }] } });
    object.addDependency(service);
    app.synth();
  });
  __setpoint.tick();
  __setpoint.finish();
  return __setpoint.collect(JSON.stringify({ objects: 100, bytes: 1e6, objectBytes: 1e6 }), 'false');
})()`;

const snapshot = ivm.Isolate.createSnapshot([{ code: readFileSync(script, 'utf8'), filename: 'libraries.js' }], warmUp);
// the type says nothing of it, but a snapshot is an ExternalCopy with this method
const bytes = (snapshot as unknown as { copy(): ArrayBuffer }).copy();
writeFileSync(target, Buffer.from(bytes));
