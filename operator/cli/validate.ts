// `setpoint validate DIR`: what the operator would find in a local folder or commit, checked against the kinds and schemas of a cluster. Writes nothing.
import type { Command } from 'commander';
import { type Finding, hasErrors } from '../model/finding.ts';
import type { SynthesizedObject } from '../model/manifest.ts';
import { addClusterFlags, addOutputFlag, type ClusterChoice, type ClusterOptions } from './cluster-reader.ts';
import { countFindings } from './finding-text.ts';
import { type CommandDeps, runCommand } from './run-command.ts';
import { formatStructured } from './structured-output.ts';
import {
  addFolderFlags,
  type FolderDeps,
  type FolderOptions,
  printFindings,
  synthesizeFolder,
  withCodeFrame,
} from './synthesize-folder.ts';
import type { ExitCode } from './terminal.ts';

/** Checks objects against the kinds and schemas of a cluster. Throws OperatorError when it cannot be reached. */
export type ValidateObjects = (
  choice: ClusterChoice,
  objects: readonly SynthesizedObject[],
  namespace: string | undefined,
) => Promise<readonly Finding[]>;

/** What `validate` needs. */
export interface ValidateDeps extends CommandDeps, FolderDeps {
  readonly validateObjects: ValidateObjects;
}

/** Adds `validate` to the program. */
export function registerValidate(program: Command, deps: ValidateDeps): void {
  const command = program
    .command('validate')
    .argument('<folder>')
    .description('find what the operator would refuse, against the schemas of a cluster');
  addOutputFlag(addClusterFlags(addFolderFlags(command)), ['table', 'json', 'yaml']);
  command.action((folder: string, options: FolderOptions & ClusterOptions) => runCommand(deps, () => validate(folder, options, deps)));
}

async function validate(folder: string, options: FolderOptions & ClusterOptions, deps: ValidateDeps): Promise<ExitCode> {
  const { terminal } = deps;
  const result = await synthesizeFolder(folder, options, deps, { twice: true });
  const fromSchemas = hasErrors(result.findings) ? [] : await deps.validateObjects(options, result.objects, options.namespace);
  const findings = await Promise.all([...result.findings, ...fromSchemas].map((finding) => withCodeFrame(finding, result.snapshot)));
  if (options.output === 'json' || options.output === 'yaml') {
    terminal.out(await formatStructured({ objects: result.objects.length, findings }, options.output));
  } else {
    printFindings(findings, result.showPath, terminal, 'out');
    const objects = result.objects.length === 1 ? '1 object' : `${result.objects.length} objects`;
    terminal.err(`${objects}, ${countFindings(findings)}\n`);
  }
  return hasErrors(findings) ? 1 : 0;
}
