// The steps `render` and `validate` share: flags → snapshot → the operator's own synth → findings with the lines they point at.
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { type Finding, hasErrors } from '../model/finding.ts';
import { isJsonObject, type JsonObject } from '../model/json.ts';
import type { SourcePosition } from '../model/manifest.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { compareRuns } from '../synth/compare-runs.ts';
import type { Synthesizer, SynthResult } from '../synth/ports.ts';
import type { ShowPath } from './finding-text.ts';
import { formatFindingText, pathsFrom } from './finding-text.ts';
import { folderSnapshot, type LocalSnapshot } from './folder-snapshot.ts';
import { usageError } from './run-command.ts';
import type { Terminal } from './terminal.ts';

/** Flags that choose what is synthesized. */
export interface FolderOptions {
  readonly inputs?: string;
  readonly revision?: string;
  readonly entry?: string;
}

/** What synthesizing a folder needs. */
export interface FolderDeps {
  readonly openSynthesizer: () => Promise<Synthesizer>;
  readonly cwd: string;
  readonly terminal: Terminal;
}

/** A synthesized folder and how to show where its findings are. */
export interface FolderResult extends SynthResult {
  readonly snapshot: Snapshot;
  readonly showPath: ShowPath;
}

/** Adds --inputs, --revision and --entry. */
export function addFolderFlags(command: Command): Command {
  return command
    .option('--inputs <file>', 'JSON or YAML file that the app reads as inputs')
    .option('--revision <revision>', 'render this branch, tag or commit without checking it out')
    .option('--entry <file>', 'entry file, instead of what cdk8s.yaml says');
}

/** Synthesizes a folder as the operator would; with `twice`, once more in another process, to find what differs from run to run. */
export async function synthesizeFolder(
  folder: string,
  options: FolderOptions,
  deps: FolderDeps,
  { twice = false }: { readonly twice?: boolean } = {},
): Promise<FolderResult> {
  const inputs = options.inputs === undefined ? undefined : await readInputs(options.inputs);
  const { snapshot, path, root } = await openSnapshot(folder, options.revision);
  const synthesizer = await deps.openSynthesizer();
  try {
    const request = {
      snapshot,
      path,
      ...(options.entry === undefined ? {} : { entry: options.entry }),
      ...(inputs === undefined ? {} : { inputs }),
    };
    const result = await synthesizer.synthesize(request, deps.terminal.signal);
    const isCompared = twice && !hasErrors(result.findings);
    const differing = isCompared ? compareRuns(result.objects, (await synthesizer.synthesize(request, deps.terminal.signal)).objects) : [];
    const findings = await Promise.all([...result.findings, ...differing].map((finding) => withCodeFrame(finding, snapshot)));
    const showPath: ShowPath = options.revision === undefined ? pathsFrom(deps.cwd, root) : (file) => file;
    return { ...result, findings, snapshot, showPath };
  } finally {
    await synthesizer.close();
  }
}

/** Prints findings, most of them a few lines each. */
export function printFindings(findings: readonly Finding[], showPath: ShowPath, terminal: Terminal, stream: 'out' | 'err'): void {
  for (const finding of findings) terminal[stream](formatFindingText(finding, showPath, terminal.paint, stream));
}

/** The finding with the lines around its position, when it has a position and does not hold them yet. */
export async function withCodeFrame(finding: Finding, snapshot: Snapshot): Promise<Finding> {
  const { position } = finding;
  if (finding.codeFrame !== undefined || position === undefined || snapshot.entries.get(position.file)?.kind !== 'file') return finding;
  const text = Buffer.from(await snapshot.read(position.file)).toString('utf8');
  const codeFrame = formatCodeFrame(text, position);
  return codeFrame === undefined ? finding : { ...finding, codeFrame };
}

/** Two lines before the position, its line with a caret below the column, one line after. Undefined when the text has no such line. */
export function formatCodeFrame(text: string, position: SourcePosition): string | undefined {
  const lines = text.split(/\r?\n/);
  if (position.line < 1 || position.line > lines.length) return undefined;
  const first = Math.max(1, position.line - 2);
  const last = Math.min(lines.length, position.line + 1);
  const width = String(last).length;
  const frame: string[] = [];
  for (let number = first; number <= last; number += 1) {
    const line = (lines[number - 1] ?? '').slice(0, maxLineLength);
    if (number > position.line && line.trim() === '') continue;
    frame.push(`${number === position.line ? '>' : ' '} ${String(number).padStart(width)} | ${line}`.trimEnd());
    if (number === position.line && position.column <= maxLineLength) {
      frame.push(`  ${' '.repeat(width)} | ${line.slice(0, position.column - 1).replace(/[^\t]/g, ' ')}^`);
    }
  }
  return frame.join('\n');
}

const maxLineLength = 160;

/** The files of a folder as they are now, or of a commit of the repository around it. */
export async function openSnapshot(folder: string, revision: string | undefined): Promise<LocalSnapshot> {
  if (revision === undefined) return folderSnapshot(folder);
  const { commitSnapshot } = await import('./commit-snapshot.ts');
  return commitSnapshot(folder, revision);
}

/** The object in a JSON or YAML file. */
export async function readInputs(file: string): Promise<JsonObject> {
  const { parse } = await import('yaml');
  let value: unknown;
  try {
    value = parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw usageError(
      `read inputs from ${file}: ${error instanceof Error ? error.message : String(error)}`,
      'name a readable JSON or YAML file',
    );
  }
  if (!isJsonObject(value)) throw usageError(`read inputs from ${file}: it holds no object`, 'write for example {"env": "prod"}');
  return value;
}
