// One synth inside the child: find out what the folder is, bundle and run it or read its manifests, and make the result.
import type { Finding } from '../../model/finding.ts';
import type { SourcePosition } from '../../model/manifest.ts';
import type { ChildRequest, ChildResult, ResultEntry } from '../messages.ts';
import { AuthorMistake, mistake } from './author-mistake.ts';
import { bundleApp } from './bundle.ts';
import { CommitFiles } from './commit-files.ts';
import type { PreparedIsolate } from './isolate.ts';
import { readManifests } from './manifests.ts';
import { type AppProject, findProject } from './project.ts';
import type { ProvidedPackages } from './provided-packages.ts';
import { runApp } from './run-app.ts';

/** The result as two texts: the JSON of the objects, one a line, and everything about them. */
export interface ChildAnswer {
  readonly objects: string;
  readonly result: ChildResult;
}

/** Does the work. Findings of the author are part of the answer; anything else is thrown. */
export async function synthesizeRequest(
  request: ChildRequest,
  prepared: PreparedIsolate,
  provided: ProvidedPackages,
): Promise<ChildAnswer> {
  const deadline = performance.now() + request.limits.milliseconds;
  const files = new CommitFiles(request.limits);
  try {
    const project = findProject(files, request.path, request.entry);
    if (project.kind === 'manifests') return manifestAnswer(files, project.folder, request);
    requireInputs(request.inputs);
    return await appAnswer(files, project, request, prepared, provided, deadline);
  } catch (error) {
    if (!(error instanceof AuthorMistake)) throw error;
    return emptyAnswer(error.findings, files);
  }
}

function requireInputs(inputs: unknown): void {
  if (inputs === undefined || (typeof inputs === 'object' && inputs !== null && !Array.isArray(inputs))) return;
  throw new AuthorMistake(
    mistake('InvalidInputs', 'the inputs are not an object', { hint: 'write  inputs: {name: value}  in spec.source' }),
  );
}

async function appAnswer(
  files: CommitFiles,
  project: AppProject,
  request: ChildRequest,
  prepared: PreparedIsolate,
  provided: ProvidedPackages,
  deadline: number,
): Promise<ChildAnswer> {
  const bundle = await bundleApp(files, project, provided);
  const { objects, collected, positions } = runApp(prepared, bundle, project, files, {
    inputs: request.inputs,
    limits: request.limits,
    deadline,
  });
  const origins = collected.stacks.map((stack) => positions.framesOf(stack));
  const { groups, entries } = collected;
  return { objects, result: { origins, groups, entries, findings: [], filesRead: files.filesRead() } };
}

function manifestAnswer(files: CommitFiles, folder: string, request: ChildRequest): ChildAnswer {
  const { objects, findings } = readManifests(files, folder, request.limits);
  const origins: SourcePosition[][] = objects.map(({ position }) => [position]);
  const entries = objects.map((_, index): ResultEntry => ['', index, []]);
  const json = objects.map((object) => object.json).join('\n');
  return { objects: json, result: { origins, groups: [], entries, findings, filesRead: files.filesRead() } };
}

function emptyAnswer(findings: readonly Finding[], files: CommitFiles): ChildAnswer {
  return { objects: '', result: { origins: [], groups: [], entries: [], findings, filesRead: files.filesRead() } };
}
