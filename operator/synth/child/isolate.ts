// Runs a bundled app in a V8 isolate made from the library snapshot. Only strings and the one host function cross its border.
import ivm from 'isolated-vm';
import type { Finding } from '../../model/finding.ts';
import type { SourcePosition } from '../../model/manifest.ts';
import type { SynthLimits } from '../messages.ts';
import { AuthorMistake, mistake } from './author-mistake.ts';
import { type Bundle, commitRoot } from './bundle.ts';
import { codeFrame } from './code-frame.ts';
import type { CommitFiles } from './commit-files.ts';
import type { CollectedOutput } from './guest/collect.ts';
import type { AppStart } from './guest/library.ts';
import { createHostCall } from './host-calls.ts';
import type { AppProject } from './project.ts';
import { SourcePositions } from './source-positions.ts';

/** An isolate that waits for its app. */
export interface PreparedIsolate {
  readonly isolate: ivm.Isolate;
  readonly context: ivm.Context;
}

/** Output of a run. */
export interface RunOutput {
  /** JSON array of the objects. */
  readonly objects: string;
  readonly collected: CollectedOutput;
  readonly positions: SourcePositions;
}

const scriptName = 'app.js';

/** Makes an isolate from the snapshot, before there is an app. */
export function prepareIsolate(snapshot: ArrayBuffer, memoryMegabytes: number): PreparedIsolate {
  const isolate = new ivm.Isolate({ memoryLimit: memoryMegabytes, snapshot: new ivm.ExternalCopy(snapshot, { transferOut: true }) });
  return { isolate, context: isolate.createContextSync() };
}

/** Runs the app to its end. Throws an AuthorMistake for whatever the app did wrong. */
export function runApp(
  { isolate, context }: PreparedIsolate,
  bundle: Bundle,
  project: AppProject,
  files: CommitFiles,
  options: { readonly inputs: unknown; readonly limits: SynthLimits; readonly deadline: number },
): RunOutput {
  const positions = new SourcePositions(bundle);
  const { limits, deadline } = options;
  const timeout = (): number => {
    const left = Math.ceil(deadline - performance.now());
    if (left <= 0) throw new AuthorMistake(timedOut(limits));
    return left;
  };
  try {
    const host = new ivm.Callback(createHostCall(files));
    context.evalClosureSync('__setpoint.start($0, $1)', [host, JSON.stringify(startOf(project, options.inputs))], { timeout: timeout() });
    const script = isolate.compileScriptSync(bundle.code, { filename: scriptName });
    script.runSync(context, { timeout: timeout() });
    while (context.evalSync('__setpoint.tick()', { timeout: timeout() }) === 'more');
    const failure = textOf(context.evalSync('__setpoint.finish()', { timeout: timeout() }));
    if (failure !== '') throw new AuthorMistake(...failureFindings(failure, limits, positions, files));
    const { objects, objectBytes, outputBytes } = limits;
    const outputLimits = JSON.stringify({ objects, objectBytes, bytes: outputBytes });
    const call = `__setpoint.collect(${JSON.stringify(outputLimits)}, '${bundle.asynchronous}')`;
    const answer = textOf(context.evalSync(call, { timeout: timeout() }));
    if (!answer.startsWith('+')) throw new AuthorMistake(...failureFindings(answer.slice(1), limits, positions, files));
    const end = answer.indexOf('\n');
    return { objects: answer.slice(end + 1), collected: JSON.parse(answer.slice(1, end)) as CollectedOutput, positions };
  } catch (error) {
    throw translate(error, limits, positions, files);
  }
}

function startOf({ folder, entry, parameters, environment, output }: AppProject, inputs: unknown): AppStart {
  const cwd = folder === '' ? commitRoot : `${commitRoot}/${folder}`;
  return { cwd, argv: ['/usr/local/bin/node', `${commitRoot}/${entry}`, ...parameters], environment, output, inputs };
}

function textOf(value: unknown): string {
  if (typeof value !== 'string') throw new AuthorMistake(mistake('SynthFailed', 'the app replaced the internals of the sandbox'));
  return value;
}

function timedOut({ milliseconds }: SynthLimits): Finding {
  return mistake('SynthTimeout', `the app did not end within ${milliseconds / 1000} s`, {
    hint: 'look for an endless loop or a slow regular expression',
  });
}

function outOfMemory({ memoryMegabytes }: SynthLimits): Finding {
  return mistake('SynthMemory', `the app used more than ${memoryMegabytes} MB of memory`, { hint: 'look for data that grows without end' });
}

/** Errors of isolated-vm itself: time and memory; and those of the app that reached us uncaught. */
function translate(error: unknown, limits: SynthLimits, positions: SourcePositions, files: CommitFiles): unknown {
  if (error instanceof AuthorMistake) return error;
  const { message = String(error), stack = '' } = error as Partial<Error>;
  if (message === 'Script execution timed out.') return new AuthorMistake(timedOut(limits));
  if (/memory limit|isolate is disposed|Isolate was disposed/i.test(message)) {
    return new AuthorMistake(outOfMemory(limits));
  }
  return new AuthorMistake(...failureFindings(JSON.stringify({ name: 'Error', message, stack, constructs: [] }), limits, positions, files));
}

interface DescribedError {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  readonly code?: Finding['code'];
  readonly hint?: string;
  readonly constructs: readonly { readonly path: string; readonly text: string; readonly positions: string }[];
}

/** An error of the app as findings: one per construct that failed its validation, else one. */
function failureFindings(text: string, limits: SynthLimits, positions: SourcePositions, files: CommitFiles): Finding[] {
  const error = JSON.parse(text) as DescribedError;
  const code = error.code ?? 'SynthFailed';
  const base = error.hint === undefined ? {} : { hint: error.hint };
  const frames = positions.framesOfStack(error.stack, scriptName);
  if (error.message === 'Array buffer allocation failed') return [locate(outOfMemory(limits), frames, files)];
  const withText = error.constructs.filter((construct) => construct.text !== '');
  if (withText.length > 0) {
    return withText.map((construct) =>
      locate(mistake(code, construct.text, { ...base, constructPath: construct.path }), positions.framesOf(construct.positions), files),
    );
  }
  const own = frames.length > 0 ? frames : positions.framesOf(error.constructs[0]?.positions ?? '');
  const name = error.name === 'Error' || code !== 'SynthFailed' ? '' : `${error.name}: `;
  return [locate(mistake(code, `${name}${error.message}`, base), own, files)];
}

function locate(finding: Finding, frames: readonly SourcePosition[], files: CommitFiles): Finding {
  const [position] = frames;
  if (position === undefined) return finding;
  const frame = codeFrame(files.knownText(position.file), position);
  return { ...finding, position, ...(frames.length > 1 ? { frames } : {}), ...(frame === undefined ? {} : { codeFrame: frame }) };
}
