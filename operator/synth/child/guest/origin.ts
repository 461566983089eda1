// Where each construct was made: the frames of the app's own code, captured when the construct joins its parent.
import { ApiObject, Chart } from 'cdk8s';
import { Node } from 'constructs';
import { appScript } from '../app-script.ts';

/** The construct tree as cdk8s sees it; only what is used here. */
export interface TreeConstruct {
  readonly node: Node;
}

/** What Node keeps private: the construct it belongs to. */
interface TreeNode {
  readonly scope: unknown;
  readonly host: TreeConstruct;
}

const deepestStack = 60;

/** Kept on the construct itself: a table beside it would cost the garbage collector more than the app. */
const places = Symbol('places');
type Placed = TreeConstruct & { [places]?: string };
const roots = new Set<TreeConstruct>();

/** `line:column` of each frame of the app's bundle, innermost first, separated by spaces. */
export function positionsOf(construct: TreeConstruct): string {
  const own = (construct as Placed)[places];
  if (own !== undefined) return own;
  const below = (construct.node.findAll() as Placed[]).find((child) => child[places] !== undefined);
  return below?.[places] ?? '';
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
    if (isPlaced(child)) (child as Placed)[places] = callersInApp();
    if (parent.scope === undefined) roots.add(parent.host);
    return addChild.call(parent, child, name);
  };
}

/** Objects and charts only: what lies between has the origin of its objects. At this moment the child is still being constructed. */
function isPlaced(child: object): boolean {
  return Object.prototype.isPrototypeOf.call(ApiObject.prototype, child) || Object.prototype.isPrototypeOf.call(Chart.prototype, child);
}

interface ErrorHooks {
  prepareStackTrace?: unknown;
  stackTraceLimit: number;
  captureStackTrace(target: object, below?: unknown): void;
}

const errors = Error as unknown as ErrorHooks;
const capture = errors.captureStackTrace;

/** What a stack is captured on, so that its formatter knows it. */
class Place {
  readonly stack: unknown;
}

/** Frames of the app's bundle on the current stack. The app's own stack settings are kept. */
export function callersInApp(): string {
  const place = new Place();
  const { prepareStackTrace, stackTraceLimit } = errors;
  if (prepareStackTrace === formatStack && stackTraceLimit === deepestStack) {
    capture(place, callersInApp);
    return String(place.stack);
  }
  try {
    keepStacks();
    capture(place, callersInApp);
    return String(place.stack);
  } finally {
    errors.prepareStackTrace = prepareStackTrace;
    errors.stackTraceLimit = stackTraceLimit;
  }
}

/** Makes stacks deep enough to reach from the libraries to the app, and ours short. */
export function keepStacks(): void {
  errors.stackTraceLimit = deepestStack;
  errors.prepareStackTrace = formatStack;
}

/** Ours as places of the app only; any other as V8 prints it. */
function formatStack(error: unknown, frames: readonly NodeJS.CallSite[]): string {
  if (!(error instanceof Place)) return [nameOf(error), ...frames].join('\n    at ');
  let text = '';
  for (const frame of frames) {
    if (frame.getFileName() === appScript) text += `${text === '' ? '' : ' '}${frame.getLineNumber()}:${frame.getColumnNumber()}`;
  }
  return text;
}

function nameOf(error: unknown): string {
  try {
    return String(error);
  } catch {
    return 'Error';
  }
}
