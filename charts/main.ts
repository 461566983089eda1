// Entry of cdk8s.yaml: writes the install with its defaults to dist/. Options belong to `setpoint install`.
import { App } from 'cdk8s';
import { addInstallCharts } from './install.ts';

const app = new App();
addInstallCharts(app);
app.synth();
