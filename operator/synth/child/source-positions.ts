// From places in the bundle to places in the files of the commit, through the bundle's own source map. Maps of the author are never read.
import { originalPositionFor, TraceMap } from '@jridgewell/trace-mapping';
import type { SourcePosition } from '../../model/manifest.ts';
import type { Bundle } from './bundle.ts';

const mostFrames = 20;

/** Translates frames of the bundle. */
export class SourcePositions {
  readonly #bundle: Bundle;
  #map: TraceMap | undefined;

  constructor(bundle: Bundle) {
    this.#bundle = bundle;
  }

  /**
   * The author's frames behind `line:column line:column …`, innermost first.
   * Frames in files made by `cdk8s import` are left out unless there is no other.
   */
  framesOf(text: string): SourcePosition[] {
    if (text === '') return [];
    const all = text
      .split(' ')
      .map((place) => this.#positionOf(place))
      .filter((position) => position !== undefined);
    const own = all.filter(({ file }) => !this.#bundle.generated.has(file));
    return (own.length > 0 ? own : all).slice(0, mostFrames);
  }

  /** Frames in the text of an Error's stack. */
  framesOfStack(stack: string, script: string): SourcePosition[] {
    const places = [...stack.matchAll(/([\w./-]+):(\d+):(\d+)\)?$/gm)].filter(([, file]) => file === script);
    return this.framesOf(places.map(([, , line, column]) => `${line}:${column}`).join(' '));
  }

  #positionOf(place: string): SourcePosition | undefined {
    const [line = 0, column = 0] = place.split(':').map(Number);
    this.#map ??= new TraceMap(this.#bundle.map);
    if (!(line > 0 && column > 0)) return undefined;
    const original = originalPositionFor(this.#map, { line, column: column - 1 });
    if (original.source === null) return undefined;
    if (!original.source.startsWith('commit:')) return undefined;
    const file = original.source.slice('commit:'.length);
    const shift = original.line === 1 ? (this.#bundle.shifts.get(file) ?? 0) : 0;
    return { file, line: original.line, column: Math.max(0, original.column - shift) + 1 };
  }
}
