// Which commit is accepted as the newest: the rule about rewritten history, and the doubt about going back. Asks no server itself.
import type { OperatorError } from '../model/error.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { sourceError } from './errors.ts';
import type { HistoryRewrite } from './ports.ts';
import type { Relation } from './repository.ts';
import type { LookPolicy } from './source-options.ts';

/** Tells how a new commit is related to the accepted one. */
export type TellRelation = (from: string, to: Snapshot) => Promise<Relation>;

/** What subscribers with one policy about rewritten history see of a source. */
export class AcceptedHead {
  readonly #requireFastForward: boolean;
  snapshot: Snapshot | undefined;
  error: OperatorError | undefined;
  #rewrite: HistoryRewrite | undefined;
  #refused: { readonly to: string; readonly error: OperatorError } | undefined;

  constructor(requireFastForward: boolean) {
    this.#requireFastForward = requireFastForward;
  }

  /** Changes whenever subscribers should look again. */
  get state(): string {
    return `${this.snapshot?.revision.sha ?? ''} ${this.snapshot?.ref ?? ''} ${this.error?.code ?? ''}`;
  }

  /**
   * Takes a newer commit, or refuses it with `NotFastForward` and stays where it is.
   * A tag that moved is reported as a rewrite in any case: tags are meant to stay.
   */
  async accept(next: Snapshot, relationOf: TellRelation): Promise<void> {
    const from = this.snapshot?.revision.sha;
    const to = next.revision.sha;
    if (from === undefined || from === to) {
      this.#take(next);
      return;
    }
    if (this.#refused?.to === to) {
      this.error = this.#refused.error;
      return;
    }
    const relation = await this.#relation(from, next, relationOf);
    const tagMoved = next.ref.startsWith('refs/tags/') && this.snapshot?.ref === next.ref;
    const isForward = relation === 'descendant' || relation === 'untold';
    if (!isForward && this.#requireFastForward) {
      const why = relation === 'rewritten' ? 'was rewritten' : 'moved too far to find the commit before in its history';
      this.error = sourceError(
        'NotFastForward',
        `follow ${next.ref}: it ${why}, from ${from.slice(0, 8)} to ${to.slice(0, 8)}, and requireFastForward is set`,
        {
          hint: 'push a commit on top of the earlier one, or set spec.source.requireFastForward to false',
        },
      );
      this.#refused = { to, error: this.error };
      return;
    }
    if (!isForward || tagMoved) this.#rewrite = { from, to };
    this.#take(next);
  }

  /** The last accepted rewrite, until it was read once. */
  takeRewrite(): HistoryRewrite | undefined {
    const rewrite = this.#rewrite;
    this.#rewrite = undefined;
    return rewrite;
  }

  /** Who does not insist on history follows the ref also when its history cannot be read right now. */
  async #relation(from: string, next: Snapshot, relationOf: TellRelation): Promise<Relation | 'untold'> {
    if (this.#requireFastForward) return await relationOf(from, next);
    return await relationOf(from, next).catch(() => 'untold' as const);
  }

  #take(next: Snapshot): void {
    this.snapshot = next;
    this.error = undefined;
  }
}

const remembered = 1000;

/** Remembers commits we moved away from; going back to one needs several equal answers, so that replicas which lag behind cause no flapping. */
export class GoingBack {
  readonly #policy: LookPolicy;
  readonly #left = new Set<string>();
  #doubt: { readonly commit: string; readonly since: number; looks: number } | undefined;

  constructor(policy: LookPolicy) {
    this.#policy = policy;
  }

  /** True while an answer waits to be confirmed. */
  get isDoubtful(): boolean {
    return this.#doubt !== undefined;
  }

  /** True when an answer may be followed now. */
  mayFollow(commit: string, now: number): boolean {
    if (!this.#left.has(commit)) {
      this.#doubt = undefined;
      return true;
    }
    if (this.#doubt?.commit !== commit) this.#doubt = { commit, since: now, looks: 0 };
    this.#doubt.looks += 1;
    return this.#doubt.looks >= this.#policy.confirmLooks && now - this.#doubt.since >= this.#policy.confirmMilliseconds;
  }

  /** A commit is taken for one we moved away from. */
  doubt(commit: string): void {
    this.#left.add(commit);
  }

  /** A commit was accepted in place of another. */
  moved(from: string | undefined, to: Snapshot): void {
    this.#doubt = undefined;
    for (const older of [from, ...to.revision.parents]) if (older !== undefined) this.#left.add(older);
    this.#left.delete(to.revision.sha);
    for (const oldest of this.#left) {
      if (this.#left.size <= remembered) break;
      this.#left.delete(oldest);
    }
  }
}
