// ES modules: top-level await, import.meta, JSON imports, dynamic imports by literal names.
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { App, Chart } from 'cdk8s';
import { settings } from './lib/settings.mjs';
import values from './values.json' with { type: 'json' };

const here = dirname(fileURLToPath(import.meta.url));
const text = await readFile(join(here, 'note.txt'), 'utf8');
const beside = (await readFile(new URL('./lib/beside.txt', import.meta.url))).toString('utf8');
const { extra } = await import('./lib/extra.mjs');
const app = new App();
const chart = new Chart(app, 'modules');
settings(chart, 'settings', { text, beside, ...values, ...extra, same: String(here === import.meta.dirname) });
await new Promise((resolve) => setTimeout(resolve, 5));
app.synth();
