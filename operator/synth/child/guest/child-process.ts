// `child_process`: no process is ever started. The one call cdk8s makes to read a manifest file is answered from the commit.
import { Buffer } from 'buffer';
import { notHermetic } from './host.ts';
import { absolutePath, readContent } from './virtual-files.ts';

/** cdk8s reads the file of `Include` and `Yaml.load` by running this script of its own. */
const loadScript = '/_loadurl.mjs';

function execFileSync(program: unknown, parameters: unknown = [], options: { readonly encoding?: string } = {}): string | Buffer {
  const [script, source] = Array.isArray(parameters) ? parameters.map(String) : [];
  if (script === undefined || source === undefined || !script.endsWith(loadScript)) throw refuseProgram(String(program));
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(source) && !source.startsWith('file://')) {
    throw notHermetic(`the network: Include or Yaml.load of ${source}`, 'download the manifest, commit it, and include the file');
  }
  const content = readContent(absolutePath(source.startsWith('file://') ? new URL(source) : source), 'open', 'latin1');
  const bytes = Buffer.from(content, 'latin1');
  return options.encoding === undefined || options.encoding === 'buffer' ? bytes : bytes.toString('utf8');
}

function refuseProgram(command: string): Error {
  const program = command.trim().split(/\s+/)[0] ?? '';
  if (/(^|\/)helm$/.test(program)) {
    return notHermetic('helm', 'Helm charts come later; render the chart, commit the manifests and include them with Include');
  }
  return notHermetic(`running a program (${program.slice(0, 80)})`, 'commit the output of the program as a file of the repository');
}

function refuse(command: unknown): never {
  throw refuseProgram(String(command));
}

/** `child_process`. */
export const childProcess = {
  execFileSync,
  execSync: refuse,
  spawnSync: refuse,
  exec: refuse,
  execFile: refuse,
  spawn: refuse,
  fork: refuse,
};
