// Where each construct was made: the frames of the app's own code, captured when the construct joins its parent.
import { Node } from 'constructs';

/** The construct tree as cdk8s sees it; only what is used here. */
export interface TreeConstruct {
  readonly node: Node;
}

/** Name the app's bundle runs under; frames of any other script are the libraries'. */
export const appScript = 'app.js';
/** What Node keeps private: the construct it belongs to. */
interface TreeNode {
  readonly scope: unknown;
  readonly host: TreeConstruct;
}

const deepestStack = 60;

const positions = new WeakMap<object, string>();
const roots = new Set<TreeConstruct>();

/** `line:column` of each frame of the app's bundle, innermost first, separated by spaces. */
export function positionsOf(construct: object): string {
  return positions.get(construct) ?? '';
}

/** Roots of all construct trees the app has made, in order. */
export function treeRoots(): readonly TreeConstruct[] {
  return [...roots];
}

/** Makes every construct remember its origin. Runs once, when the libraries are loaded. */
export function rememberOrigins(): void {
  const prototype = Node.prototype as unknown as { addChild(this: unknown, child: object, name: string): void };
  const addChild = prototype.addChild;
  prototype.addChild = function addChildWithOrigin(this: unknown, child: object, name: string) {
    const parent = this as TreeNode;
    positions.set(child, callersInApp());
    if (parent.scope === undefined) roots.add(parent.host);
    return addChild.call(parent, child, name);
  };
}

interface ErrorHooks {
  prepareStackTrace?: unknown;
  stackTraceLimit: number;
  captureStackTrace(target: object, below?: unknown): void;
}

const errors = Error as unknown as ErrorHooks;
const capture = errors.captureStackTrace;

/** Frames of the app's bundle on the current stack. The app's own stack settings are kept. */
export function callersInApp(): string {
  const { prepareStackTrace, stackTraceLimit } = errors;
  const holder: { stack?: unknown } = {};
  try {
    errors.stackTraceLimit = deepestStack;
    errors.prepareStackTrace = framesOfApp;
    capture(holder, callersInApp);
    return String(holder.stack);
  } finally {
    errors.prepareStackTrace = prepareStackTrace;
    errors.stackTraceLimit = stackTraceLimit;
  }
}

function framesOfApp(_: unknown, frames: readonly NodeJS.CallSite[]): string {
  let text = '';
  for (const frame of frames) {
    if (frame.getFileName() === appScript) text += `${text === '' ? '' : ' '}${frame.getLineNumber()}:${frame.getColumnNumber()}`;
  }
  return text;
}
