// A folder of plain manifests: every document of every YAML and JSON file is an object, with its own place as origin.
import { posix } from 'node:path';
import { type Document, isMap, isScalar, LineCounter, parseAllDocuments, type Tags } from 'yaml';
import type { Finding } from '../../model/finding.ts';
import type { SourcePosition } from '../../model/manifest.ts';
import type { SynthLimits } from '../messages.ts';
import { AuthorMistake, mistake } from './author-mistake.ts';
import { codeFrame } from './code-frame.ts';
import type { CommitFiles } from './commit-files.ts';

/** What a folder of manifests holds. */
export interface FoundManifests {
  readonly objects: readonly { readonly json: string; readonly position: SourcePosition }[];
  readonly findings: readonly Finding[];
}

const deepestFolder = 32;
/** Files that stand in such folders for other tools, never for the API server. */
const ignoredNames = new Set([
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'kustomization.yaml',
  'kustomization.yml',
  'renovate.json',
]);

/** YAML 1.1 as kubectl reads it: dates and 12:30:45 stay texts. */
function likeKubectl(tags: Tags): Tags {
  return tags.filter((tag) => typeof tag === 'string' || !(tag.tag.endsWith(':timestamp') || ('format' in tag && tag.format === 'TIME')));
}

/** Reads a folder. Throws an AuthorMistake when it holds no manifest at all. */
export function readManifests(files: CommitFiles, folder: string, limits: SynthLimits): FoundManifests {
  const paths = manifestFiles(files, folder, 0);
  if (paths.length === 0) {
    throw new AuthorMistake(
      mistake(
        'EntryNotFound',
        `the folder ${folder === '' ? '.' : folder} has neither a cdk8s.yaml, a main.ts nor manifests (*.yaml, *.json)`,
        {
          hint: 'correct spec.source.path, or set spec.source.entry',
        },
      ),
    );
  }
  requireNoApps(folder, paths);
  const objects: { json: string; position: SourcePosition }[] = [];
  const findings: Finding[] = [];
  let bytes = 0;
  for (const path of paths) {
    try {
      for (const object of readFile(files, path)) {
        bytes += object.json.length;
        requireWithin(limits, objects.length + 1, bytes, object);
        objects.push(object);
      }
    } catch (error) {
      if (!(error instanceof AuthorMistake)) throw error;
      findings.push(...error.findings);
    }
  }
  return { objects, findings };
}

/** Apps below the folder are not run, and their files are no manifests: one of them is meant. */
function requireNoApps(folder: string, paths: readonly string[]): void {
  const apps = paths.filter((path) => posix.basename(path) === 'cdk8s.yaml').map((path) => posix.dirname(path));
  if (apps.length === 0) return;
  const most = 5;
  const named = apps.slice(0, most).join(', ') + (apps.length > most ? ` and ${apps.length - most} more` : '');
  throw new AuthorMistake(
    mistake('EntryNotFound', `the folder ${folder === '' ? '.' : folder} holds cdk8s apps (${named}) and is none itself`, {
      hint: 'set spec.source.path to one of them',
    }),
  );
}

function requireWithin(
  limits: SynthLimits,
  count: number,
  bytes: number,
  object: { readonly json: string; readonly position: SourcePosition },
): void {
  const what =
    count > limits.objects
      ? `more than ${limits.objects} objects`
      : bytes > limits.outputBytes
        ? `more than ${limits.outputBytes} bytes of objects`
        : object.json.length > limits.objectBytes
          ? `an object of ${object.json.length} bytes, more than the ${limits.objectBytes} the API server stores`
          : undefined;
  if (what === undefined) return;
  const hint = 'split it into several applications';
  throw new AuthorMistake(mistake('SynthOutputTooLarge', `the manifests are ${what}`, { hint, position: object.position }));
}

function manifestFiles(files: CommitFiles, folder: string, depth: number): string[] {
  if (depth > deepestFolder) return [];
  const found: string[] = [];
  for (const [name, kind] of files.list(folder) ?? []) {
    const path = folder === '' ? name : posix.join(folder, name);
    if (name.startsWith('.') || name === 'node_modules') continue;
    if (kind === 'folder') found.push(...manifestFiles(files, path, depth + 1));
    else if (/\.(ya?ml|json)$/i.test(name) && !ignoredNames.has(name)) found.push(path);
  }
  return found;
}

function readFile(files: CommitFiles, path: string): { json: string; position: SourcePosition }[] {
  const text = files.tryReadText(path) ?? '';
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines, version: '1.1', merge: true, customTags: likeKubectl });
  if (!Array.isArray(documents)) return [];
  const positionAt = (offset: number): SourcePosition => {
    const { line, col } = lines.linePos(offset);
    return { file: path, line: Math.max(1, line), column: Math.max(1, col) };
  };
  const problems = documents.flatMap((document) => document.errors.slice(0, 5));
  if (problems.length > 0) {
    throw new AuthorMistake(...problems.slice(0, 20).map((problem) => invalid(problem.message, positionAt(problem.pos[0]), text)));
  }
  return documents.flatMap((document) => objectsOf(document, positionAt, text));
}

function invalid(message: string, position: SourcePosition, text: string): Finding {
  const frame = codeFrame(text, position);
  const what = message.split(/ at line \d+|\n/)[0] ?? message;
  return mistake('InvalidYaml', what.charAt(0).toLowerCase() + what.slice(1), {
    position,
    ...(frame === undefined ? {} : { codeFrame: frame }),
  });
}

function objectsOf(
  document: Document.Parsed,
  positionAt: (offset: number) => SourcePosition,
  text: string,
): { json: string; position: SourcePosition }[] {
  const start = document.contents?.range?.[0] ?? document.range[0];
  const position = positionAt(start);
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw new AuthorMistake(invalid(error instanceof Error ? error.message : String(error), position, text));
  }
  if (isEmpty(value)) return [];
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new AuthorMistake(invalid('a manifest must be a mapping', position, text));
  }
  const { kind, items } = value as { readonly kind?: unknown; readonly items?: unknown };
  if (typeof kind !== 'string' || !kind.endsWith('List') || !Array.isArray(items))
    return [{ json: toJson(value, position, text), position }];
  return items
    .filter((item) => !isEmpty(item))
    .map((item, index) => {
      const at = itemPosition(document, index, positionAt) ?? position;
      return { json: toJson(item, at, text), position: at };
    });
}

function toJson(value: unknown, position: SourcePosition, text: string): string {
  const json = JSON.stringify(value, (_, item: unknown) => (typeof item === 'bigint' ? Number(item) : item));
  if (json === undefined || json[0] !== '{') throw new AuthorMistake(invalid('an item of a List must be a mapping', position, text));
  return json;
}

function isEmpty(value: unknown): boolean {
  return value === null || value === undefined || (typeof value === 'object' && Object.keys(value).length === 0);
}

function itemPosition(
  document: Document.Parsed,
  index: number,
  positionAt: (offset: number) => SourcePosition,
): SourcePosition | undefined {
  const contents: unknown = document.contents;
  if (!isMap(contents)) return undefined;
  const pair = contents.items.find(({ key }) => isScalar(key) && key.value === 'items');
  const item = (pair?.value as { items?: { range?: readonly number[] | null }[] } | undefined)?.items?.[index];
  return item?.range?.[0] === undefined ? undefined : positionAt(item.range[0]);
}
