// `setpoint render DIR`: the operator's own hermetic synth on a local folder or commit. Asks no cluster.
import type { Command } from 'commander';
import { Option } from 'commander';
import { hasErrors } from '../model/finding.ts';
import type { JsonObject } from '../model/json.ts';
import { isJsonObject } from '../model/json.ts';
import { formatPosition, type SynthesizedObject } from '../model/manifest.ts';
import { formatRef } from '../model/object-ref.ts';
import { escapeSerialized } from './escape-control.ts';
import { countFindings } from './finding-text.ts';
import { type CommandDeps, runCommand } from './run-command.ts';
import { formatStructured } from './structured-output.ts';
import { addFolderFlags, type FolderDeps, type FolderOptions, printFindings, synthesizeFolder } from './synthesize-folder.ts';
import type { ExitCode } from './terminal.ts';

/** What `render` needs. */
export interface RenderDeps extends CommandDeps, FolderDeps {}

interface RenderOptions extends FolderOptions {
  readonly output: 'yaml' | 'json';
}

/** Adds `render` to the program. */
export function registerRender(program: Command, deps: RenderDeps): void {
  const command = program
    .command('render')
    .argument('<folder>')
    .description('print the objects of an app folder, as the operator would synthesize them');
  addFolderFlags(command)
    .addOption(new Option('-o, --output <format>', 'json adds the origin of each object').choices(['yaml', 'json']).default('yaml'))
    .action((folder: string, options: RenderOptions) => runCommand(deps, () => render(folder, options, deps)));
}

async function render(folder: string, options: RenderOptions, deps: RenderDeps): Promise<ExitCode> {
  const result = await synthesizeFolder(folder, options, deps);
  const { terminal } = deps;
  printFindings(result.findings, result.showPath, terminal, 'err');
  if (options.output === 'json') {
    terminal.out(await formatStructured({ objects: describeObjects(result.objects), findings: result.findings }, 'json'));
  } else if (!hasErrors(result.findings)) {
    terminal.out(await formatManifests(result.objects.map(({ object }) => object)));
  }
  if (!hasErrors(result.findings)) return 0;
  terminal.err(`${countFindings(result.findings)}\n`);
  return 1;
}

/** Objects as `cdk8s synth` prints them: YAML 1.1, documents separated by `---`. */
export async function formatManifests(objects: readonly JsonObject[]): Promise<string> {
  const { stringify } = await import('yaml');
  const documents = objects.map((object) => stringify(object, { keepUndefined: true, lineWidth: 0, version: '1.1' }));
  return escapeSerialized(documents.join('---\n'));
}

/** Each object with where it comes from and what must be healthy before it. */
function describeObjects(objects: readonly SynthesizedObject[]): readonly unknown[] {
  return objects.map(({ object, origin, dependsOn }) => ({
    constructPath: origin.constructPath,
    frames: origin.frames.map(formatPosition),
    dependsOn: dependsOn.map((index) => nameOf(objects[index]?.object ?? {})),
    object,
  }));
}

function nameOf(object: JsonObject): string {
  const metadata = isJsonObject(object['metadata']) ? object['metadata'] : {};
  return formatRef({
    apiVersion: '',
    kind: String(object['kind']),
    namespace: String(metadata['namespace'] ?? ''),
    name: String(metadata['name']),
  });
}
