// Runs a bundled app and turns whatever goes wrong with it into findings at the author's own lines.
import type { Finding } from '../../model/finding.ts';
import type { SourcePosition } from '../../model/manifest.ts';
import type { SynthLimits } from '../messages.ts';
import { appScript } from './app-script.ts';
import { AuthorMistake, mistake } from './author-mistake.ts';
import { type Bundle, commitRoot } from './bundle.ts';
import { codeFrame } from './code-frame.ts';
import type { CommitFiles } from './commit-files.ts';
import { placeOfEndlessLoop } from './endless-loop.ts';
import type { CollectedOutput } from './guest/collect.ts';
import type { AppStart } from './guest/library.ts';
import { createHostCall } from './host-calls.ts';
import { type PreparedIsolate, type RunInput, runInIsolate, SandboxReplaced } from './isolate.ts';
import type { AppProject } from './project.ts';
import { SourcePositions } from './source-positions.ts';

/** Output of a run. */
export interface RunOutput {
  /** JSON of the objects, one a line. */
  readonly objects: string;
  readonly collected: CollectedOutput;
  readonly positions: SourcePositions;
}

/** What a run takes besides the app. */
export interface RunOptions {
  readonly inputs: unknown;
  readonly limits: SynthLimits;
  readonly deadline: number;
}

/** What findings are made with. */
interface FindingContext {
  readonly limits: SynthLimits;
  readonly positions: SourcePositions;
  readonly files: CommitFiles;
}

const timeIsUp = 'Script execution timed out.';

/** Runs the app to its end. Throws an AuthorMistake for whatever the app did wrong. */
export function runApp(prepared: PreparedIsolate, bundle: Bundle, project: AppProject, files: CommitFiles, options: RunOptions): RunOutput {
  const { limits, deadline } = options;
  const context = { limits, files, positions: new SourcePositions(bundle) };
  const input: RunInput = {
    code: bundle.code,
    start: startOf(project, options.inputs),
    outputLimits: JSON.stringify({ objects: limits.objects, objectBytes: limits.objectBytes, bytes: limits.outputBytes }),
    mayBeUnfinished: bundle.asynchronous,
    host: createHostCall(files),
    timeout: () => {
      const left = Math.ceil(deadline - performance.now());
      if (left <= 0) throw new Error(timeIsUp);
      return left;
    },
  };
  try {
    const { kind, text } = runInIsolate(prepared, input);
    if (kind === 'error') throw new AuthorMistake(...findingsOf(text, context));
    const end = text.indexOf('\n');
    return { objects: text.slice(end + 1), collected: JSON.parse(text.slice(0, end)) as CollectedOutput, positions: context.positions };
  } catch (error) {
    throw translate(error, context, () => placeOfEndlessLoop(prepared, input));
  }
}

function startOf({ folder, entry, parameters, environment, output }: AppProject, inputs: unknown): AppStart {
  const cwd = folder === '' ? commitRoot : `${commitRoot}/${folder}`;
  return { cwd, argv: ['/usr/local/bin/node', `${commitRoot}/${entry}`, ...parameters], environment, output, inputs };
}

/** Errors of isolated-vm itself: time and memory; and those of the app that reached us uncaught. */
function translate(error: unknown, context: FindingContext, findPlace: () => string): unknown {
  if (error instanceof AuthorMistake) return error;
  if (error instanceof SandboxReplaced) return new AuthorMistake(mistake('SynthFailed', error.message));
  const { message = String(error), stack = '' } = error as Partial<Error>;
  if (message === timeIsUp) return new AuthorMistake(locate(timedOut(context.limits), context.positions.framesOf(findPlace()), context));
  if (/memory limit|isolate (is|was) disposed/i.test(message)) return new AuthorMistake(outOfMemory(context.limits));
  return new AuthorMistake(...findingsOf(JSON.stringify({ name: 'Error', message, stack, constructs: [] }), context));
}

function timedOut({ milliseconds }: SynthLimits): Finding {
  const message = `the app did not end within ${milliseconds / 1000} s`;
  return mistake('SynthTimeout', message, { hint: 'look for an endless loop or a slow regular expression' });
}

function outOfMemory({ memoryMegabytes }: SynthLimits): Finding {
  return mistake('SynthMemory', `the app used more than ${memoryMegabytes} MB of memory`, { hint: 'look for data that grows without end' });
}

/** An error as guest/library.ts describes it. */
interface DescribedError {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  readonly code?: Finding['code'];
  readonly hint?: string;
  readonly constructs: readonly { readonly path: string; readonly text: string; readonly positions: string }[];
}

/** One finding per construct that failed its validation, else one. */
function findingsOf(text: string, context: FindingContext): Finding[] {
  const { positions, limits } = context;
  const error = JSON.parse(text) as DescribedError;
  const frames = positions.framesOfStack(error.stack, appScript);
  if (error.message === 'Array buffer allocation failed') return [locate(outOfMemory(limits), frames, context)];
  const code = error.code ?? 'SynthFailed';
  const hint = error.hint === undefined ? {} : { hint: error.hint };
  const failed = error.constructs.filter((construct) => construct.text !== '');
  if (failed.length > 0) {
    return failed.map((construct) => {
      const finding = mistake(code, construct.text, { ...hint, constructPath: construct.path });
      return locate(finding, positions.framesOf(construct.positions), context);
    });
  }
  const name = error.name === 'Error' || code !== 'SynthFailed' ? '' : `${error.name}: `;
  const own = frames.length > 0 ? frames : positions.framesOf(error.constructs[0]?.positions ?? '');
  return [locate(mistake(code, `${name}${error.message}`, hint), own, context)];
}

function locate(finding: Finding, frames: readonly SourcePosition[], { files }: FindingContext): Finding {
  const [position] = frames;
  if (position === undefined) return finding;
  const frame = codeFrame(files.knownText(position.file), position);
  return { ...finding, position, ...(frames.length > 1 ? { frames } : {}), ...(frame === undefined ? {} : { codeFrame: frame }) };
}
