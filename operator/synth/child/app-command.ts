// Understands the `app` command of cdk8s.yaml: which file it would run, and with what arguments. It never runs it.
import { posix } from 'node:path';

/** The program a command comes down to. */
export interface AppCommand {
  /** The script as the command names it. */
  readonly script: string;
  readonly parameters: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Named by `-P` or `--project`. */
  readonly tsconfig?: string;
}

/** Why a command cannot be understood. */
export interface CommandProblem {
  readonly problem: string;
}

/** Gives the text of a script of package.json. */
export type FindScript = (name: string) => string | undefined;

const runners = new Set([
  'ts-node',
  'ts-node-esm',
  'ts-node-script',
  'ts-node-transpile-only',
  'tsx',
  'node',
  'nodejs',
  'bun',
  'swc-node',
  'esr',
]);
const otherLanguages: Readonly<Record<string, string>> = {
  python: 'Python',
  python3: 'Python',
  pipenv: 'Python',
  poetry: 'Python',
  go: 'Go',
  java: 'Java',
  mvn: 'Java',
};
const buildTools = new Set(['tsc', 'echo', 'rm', 'rimraf', 'mkdir', 'cdk8s', 'true', 'cd', 'npm-install']);
/** Options of the runners that take the next word as their value. */
const optionsWithValue = new Set([
  ...['-r', '--require', '--import', '--loader', '--experimental-loader', '-C', '--conditions', '--env-file', '--tsconfig', '--preload'],
  ...[
    '-P',
    '--project',
    '-O',
    '--compiler-options',
    '-D',
    '--ignore-diagnostics',
    '-I',
    '--ignore',
    '--cwd',
    '--dir',
    '--scope-dir',
    '--title',
  ],
]);
const deepestScript = 8;

/** What a command runs. */
export function parseAppCommand(command: string, findScript: FindScript, depth = 0): AppCommand | CommandProblem {
  if (depth > deepestScript) return { problem: 'its scripts call each other in a circle' };
  const segments = splitCommand(command);
  if (segments === undefined) return { problem: 'its quotes do not match' };
  let last: AppCommand | CommandProblem = { problem: 'it is empty' };
  for (const words of segments) {
    const result = parseWords(words, findScript, depth);
    if (result !== undefined) last = result;
  }
  return last;
}

/** A segment of a command; undefined for one that only builds. */
function parseWords(given: readonly string[], findScript: FindScript, depth: number): AppCommand | CommandProblem | undefined {
  const words = [...given];
  const environment: Record<string, string> = {};
  while (words[0] === 'env' || words[0] === 'exec' || words[0] === 'cross-env' || /^[A-Za-z_][A-Za-z0-9_]*=/.test(words[0] ?? '')) {
    const [name = '', ...value] = (words.shift() ?? '').split('=');
    if (value.length > 0) environment[name] = value.join('=');
  }
  const program = words.shift();
  if (program === undefined) return undefined;
  const name = posix.basename(program);
  const language = otherLanguages[name];
  if (language !== undefined) return { problem: `it runs ${language}; only TypeScript and JavaScript apps are synthesized` };
  const withEnvironment = (result: AppCommand | CommandProblem | undefined) =>
    result !== undefined && 'script' in result ? { ...result, environment: { ...environment, ...result.environment } } : result;
  if (isPackageRunner(name)) return withEnvironment(parsePackageRunner(name, words, findScript, depth));
  if (name === 'bun') return withEnvironment(parseBun(words, findScript, depth));
  if (runners.has(name)) return withEnvironment(parseRunner(words));
  if (buildTools.has(name)) return undefined;
  if (/\.[cm]?[jt]sx?$/.test(program)) return { script: program, parameters: words, environment };
  return { problem: `it runs ${JSON.stringify(program)}, which is not known` };
}

function isPackageRunner(name: string): boolean {
  return ['npx', 'npm', 'pnpm', 'yarn', 'bunx', 'pnpx', 'yarnpkg'].includes(name);
}

const installs = new Set(['install', 'i', 'ci', 'add', 'build', 'audit']);

/** npx, npm, pnpm and yarn: what follows is a program, or the name of a script. */
function parsePackageRunner(runner: string, given: readonly string[], findScript: FindScript, depth: number) {
  const words = given.slice(leadingOptions(given, new Set(['-p', '--package', '-w', '--workspace', '--filter'])));
  const rest = (from: number): string[] => words.slice(from).filter((word, index) => !(index === 0 && word === '--'));
  const [first, second] = words;
  if (first === undefined || (installs.has(first) && findScript(first) === undefined)) return undefined;
  if (runner === 'npx' || runner === 'bunx' || runner === 'pnpx') return parseWords(rest(0), findScript, depth);
  if (['exec', 'x', 'dlx'].includes(first)) return parseWords(rest(1).slice(leadingOptions(rest(1), new Set())), findScript, depth);
  const scriptWords = first === 'run' || first === 'run-script' ? words.slice(1) : words;
  const options = leadingOptions(scriptWords, new Set());
  const scriptName = scriptWords[options];
  if (scriptName === undefined) return { problem: `it says ${runner} ${first} without a script` };
  const script = findScript(scriptName);
  const parameters = scriptWords.slice(options + 1).filter((word, index) => !(index === 0 && word === '--'));
  if (script !== undefined) return withParameters(parseAppCommand(script, findScript, depth + 1), parameters);
  if (first !== 'run' && runner !== 'npm' && (runners.has(first) || /\.[cm]?[jt]s$/.test(first)))
    return parseWords(words, findScript, depth);
  return { problem: `it runs the script ${JSON.stringify(second ?? first)}, which package.json does not have` };
}

function withParameters(result: AppCommand | CommandProblem, parameters: readonly string[]): AppCommand | CommandProblem {
  return 'script' in result ? { ...result, parameters: [...result.parameters, ...parameters] } : result;
}

function parseBun(given: readonly string[], findScript: FindScript, depth: number) {
  const words = given.slice(leadingOptions(given, optionsWithValue));
  if (words[0] === 'install') return undefined;
  if (words[0] !== 'run' && words[0] !== 'x') return parseRunner(given);
  const target = words.slice(1);
  const name = target[leadingOptions(target, optionsWithValue)];
  const script = name === undefined ? undefined : findScript(name);
  if (words[0] === 'x') return parseWords(target, findScript, depth);
  return script === undefined ? parseRunner(target) : parseAppCommand(script, findScript, depth + 1);
}

/** ts-node, tsx, node: options, the script, its arguments. */
function parseRunner(words: readonly string[]): AppCommand | CommandProblem {
  const position = leadingOptions(words, optionsWithValue);
  const script = words[position];
  if (script === undefined) return { problem: 'it names no file to run' };
  const tsconfig = projectOption(words.slice(0, position));
  return { script, parameters: words.slice(position + 1), environment: {}, ...(tsconfig === undefined ? {} : { tsconfig }) };
}

function projectOption(options: readonly string[]): string | undefined {
  for (const [index, option] of options.entries()) {
    if (['-P', '--project', '--tsconfig'].includes(option)) return options[index + 1];
    const value = /^--(?:project|tsconfig)=(.+)$/.exec(option)?.[1];
    if (value !== undefined) return value;
  }
  return undefined;
}

/** How many of the first words are options and their values. */
function leadingOptions(words: readonly string[], withValue: ReadonlySet<string>): number {
  let index = 0;
  while (words[index]?.startsWith('-')) index += withValue.has(words[index] as string) ? 2 : 1;
  return index;
}

/** Words of a shell command, one list per `&&`, `||` or `;`. Undefined when a quote is open at the end. */
function splitCommand(command: string): string[][] | undefined {
  const segments: string[][] = [[]];
  const pattern = /\s+|&&|\|\||;|((?:[^\s'"\\;&|]|&(?!&)|\|(?!\|)|\\.|'[^']*'|"(?:[^"\\]|\\.)*")+)|(.)/gsy;
  for (const [whole, word, stray] of command.matchAll(pattern)) {
    if (stray !== undefined) return undefined;
    if (word !== undefined) segments.at(-1)?.push(unquote(word));
    else if (/\S/.test(whole)) segments.push([]);
  }
  return segments.filter((words) => words.length > 0);
}

function unquote(word: string): string {
  return word.replace(
    /'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)/gs,
    (_, single, double, escaped) => single ?? double?.replace(/\\(["\\$`])/g, '$1') ?? escaped,
  );
}
