// Finds the statement an app was at when its time ran out: runs it again with a mark before each statement. Only for apps that have failed already.
import { type Node, parse } from 'acorn';
import { type PreparedIsolate, type RunInput, runInIsolate } from './isolate.ts';

const searchMilliseconds = 800;
const mostCode = 4_000_000;

/** `line:column` in the bundle of the last statement that was begun; '' when it cannot be told. */
export function placeOfEndlessLoop(prepared: PreparedIsolate, input: RunInput): string {
  if (input.code.length > mostCode) return '';
  try {
    const { isolate, again } = prepared;
    isolate.dispose();
    const second = again();
    const deadline = performance.now() + searchMilliseconds;
    const timeout = (): number => Math.max(1, Math.ceil(deadline - performance.now()));
    try {
      runInIsolate(second, { ...input, code: markStatements(input.code), timeout });
      return '';
    } catch {
      const place: unknown = second.context.evalSync('globalThis.__setpointAt', { timeout: 100 });
      return typeof place === 'string' && /^\d{1,9}:\d{1,9}$/.test(place) ? place : '';
    }
  } catch {
    // without a place the finding is still true
    return '';
  }
}

interface Insertion {
  readonly at: number;
  readonly text: string;
}

/** The code with `globalThis.__setpointAt = "line:column"` before each statement. */
export function markStatements(code: string): string {
  const insertions: Insertion[] = [];
  const mark = (node: Node): string => `globalThis.__setpointAt="${node.loc?.start.line}:${(node.loc?.start.column ?? 0) + 1}";`;
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(visit);
    else if (isNode(value)) {
      for (const statement of statementsOf(value)) insertions.push({ at: statement.start, text: mark(statement) });
      for (const child of Object.values(value)) visit(child);
    }
  };
  visit(parse(code, { ecmaVersion: 'latest', locations: true, allowReturnOutsideFunction: true }));
  return insert(code, insertions);
}

/** Statements of a block or case that a mark may stand before. */
function statementsOf(node: Node): Node[] {
  const { type, body, consequent } = node as Node & { readonly body?: unknown; readonly consequent?: unknown };
  const list = type === 'SwitchCase' ? consequent : ['Program', 'BlockStatement', 'StaticBlock'].includes(type) ? body : undefined;
  return Array.isArray(list)
    ? (list as (Node & { readonly directive?: string })[]).filter((statement) => statement.directive === undefined)
    : [];
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as { readonly type?: unknown }).type === 'string';
}

function insert(code: string, insertions: Insertion[]): string {
  let result = '';
  let from = 0;
  for (const { at, text } of insertions.sort((left, right) => left.at - right.at)) {
    result += code.slice(from, at) + text;
    from = at;
  }
  return result + code.slice(from);
}
