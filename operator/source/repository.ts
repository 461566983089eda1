// One repository at one ref: looks where the ref is, fetches what is missing, and makes snapshots. When to look and what to accept is followed-source.ts.
import { OperatorError } from '../model/error.ts';
import type { Snapshot, SnapshotEntry } from '../model/snapshot.ts';
import { sourceError } from './errors.ts';
import type { SourceLimits } from './limits.ts';
import { type CommitInfo, isAncestor, readCommit } from './objects/commit-reader.ts';
import { type GitObject, type ObjectMap, readObject } from './objects/git-object.ts';
import { readPack } from './objects/pack-reader.ts';
import { type CommitContent, lookupIn, MissingObject, walkTree } from './objects/tree-walk.ts';
import type { RefList } from './protocol/advertisement.ts';
import type { FetchRequest } from './protocol/fetch-pack.ts';
import { type Conversation, type GitRemote, isRefusedWant } from './protocol/git-remote.ts';
import { chooseRef, type RefQuestion, type ResolvedRef, readRef, refNotFound } from './resolve-ref.ts';

/** How a commit is related to an earlier one. `unknown`: not found within the limits. */
export type Relation = 'descendant' | 'rewritten' | 'unknown';

interface HeldCommit {
  readonly info: CommitInfo;
  readonly content: CommitContent;
}

const historySteps = [50, 500];
const noObjects: ObjectMap = new Map();

/** Follows one ref. Holds the objects of the newest commit only; older snapshots keep their own as long as somebody reads them. */
export class Repository {
  readonly #remote: GitRemote;
  readonly #limits: SourceLimits;
  readonly #ref: string | undefined;
  readonly #question: RefQuestion;
  #held: HeldCommit | undefined;

  constructor(remote: GitRemote, ref: string | undefined, limits: SourceLimits) {
    this.#remote = remote;
    this.#limits = limits;
    this.#ref = ref;
    this.#question = readRef(ref, remote.name);
  }

  /** True when the ref is a commit id, which never moves. */
  get isPinned(): boolean {
    return this.#question.kind === 'commit';
  }

  /** Asks the server where the ref is. Throws OperatorError; `RefNotFound` only after a complete list. */
  async look(conversation: Conversation): Promise<ResolvedRef> {
    const list = this.#question.kind === 'commit' ? noRefs : await this.#remote.listRefs(this.#question.prefixes, conversation);
    const found = chooseRef(this.#question, list);
    if (found !== undefined) return found;
    const all = await this.#remote.listRefs(['HEAD', 'refs/heads/', 'refs/tags/'], conversation);
    const later = chooseRef(this.#question, all);
    if (later !== undefined) return later;
    throw refNotFound(
      this.#ref,
      this.#remote.name,
      all.unbornHead === undefined && list.unbornHead !== undefined ? { ...all, unbornHead: list.unbornHead } : all,
    );
  }

  /**
   * The commit a look found, with all its files at hand.
   * Guarantees: complete, or an error; what was held before stays as it was after an error.
   * Throws OperatorError.
   */
  async fetch(target: ResolvedRef, conversation: Conversation): Promise<Snapshot> {
    const held = this.#held;
    if (held !== undefined && (held.info.revision.sha === target.commit || held.info.revision.sha === target.want))
      return this.#snapshot(held, target);
    const next = await this.#fetchCommit(target, held, conversation);
    this.#held = next;
    return this.#snapshot(next, target);
  }

  /** How `to` is related to `from`: by its parents, else by history fetched in growing steps. Throws OperatorError. */
  async relation(from: string, to: Snapshot, conversation: Conversation): Promise<Relation> {
    if (to.revision.parents.includes(from)) return 'descendant';
    if (to.revision.parents.length === 0) return 'rewritten';
    for (const depth of historySteps) {
      const request = { ...fetchAll([to.revision.sha], depth), commitsOnly: true };
      const { pack, shallow } = await this.#remote.fetchPack(request, conversation);
      const objects = await readPack(pack, noObjects, this.#limits, `read history of ${this.#remote.name}`, conversation.signal);
      const found = await isAncestor(objects, shallow, from, to.revision.sha, this.#limits.historyCommits).catch(() => undefined);
      if (found === true) return 'descendant';
      if (found === false && shallow.length === 0) return 'rewritten';
    }
    return 'unknown';
  }

  async #fetchCommit(target: ResolvedRef, held: HeldCommit | undefined, conversation: Conversation): Promise<HeldCommit> {
    const request = fetchAll([target.want], 1);
    if (held !== undefined) {
      const { sha } = held.info.revision;
      try {
        return await this.#fetchOnce(target, { ...request, haves: [sha], shallow: [sha] }, held, conversation);
      } catch (error) {
        // the server took for granted what we do not hold, or spoiled it: from scratch
        if (!(error instanceof MissingObject || (error instanceof OperatorError && error.code === 'ObjectCorrupt'))) throw error;
      }
    }
    try {
      return await this.#fetchOnce(target, request, undefined, conversation);
    } catch (error) {
      if (error instanceof MissingObject) throw this.#incomplete(target, error);
      if (!this.isPinned || !isRefusedWant(error)) throw error;
      return await this.#fetchPinnedByHistory(target, conversation);
    }
  }

  async #fetchOnce(
    target: ResolvedRef,
    request: FetchRequest,
    held: HeldCommit | undefined,
    conversation: Conversation,
  ): Promise<HeldCommit> {
    const attempt = `fetch ${target.name} from ${this.#remote.name}`;
    const { pack } = await this.#remote.fetchPack(request, conversation);
    const fetched = await readPack(pack, held?.content.objects ?? noObjects, this.#limits, attempt, conversation.signal);
    return await this.#assemble(target, fetched, held);
  }

  /** For servers that give commits only by branch or tag: all of their history, within the limits. */
  async #fetchPinnedByHistory(target: ResolvedRef, conversation: Conversation): Promise<HeldCommit> {
    const list = await this.#remote.listRefs(['refs/heads/', 'refs/tags/'], conversation);
    const wants = [...new Set([...list.refs.values()].filter(({ name }) => /^refs\/(?:heads|tags)\//.test(name)).map(({ oid }) => oid))];
    const absent = sourceError('RefNotFound', `resolve ${target.want} of ${this.#remote.name}: no branch or tag holds this commit`, {
      hint: 'check spec.source.ref; the commit may have been dropped by a force push',
    });
    if (wants.length === 0) throw absent;
    const { pack } = await this.#remote.fetchPack(fetchAll(wants, undefined), conversation);
    const fetched = await readPack(pack, noObjects, this.#limits, `fetch history of ${this.#remote.name}`, conversation.signal);
    if (!fetched.has(target.want)) throw absent;
    try {
      return await this.#assemble(target, fetched, undefined);
    } catch (error) {
      throw error instanceof MissingObject ? this.#incomplete(target, error) : error;
    }
  }

  async #assemble(target: ResolvedRef, fetched: ReadonlyMap<string, GitObject>, held: HeldCommit | undefined): Promise<HeldCommit> {
    const commits = new Map([...fetched].filter(([, { type }]) => type === 'commit' || type === 'tag'));
    if (!commits.has(target.want)) throw new MissingObject(target.want);
    const info = await readCommit(commits, target.want, `${target.name} of ${this.#remote.name}`);
    const content = walkTree(
      info.tree,
      lookupIn(fetched, held?.content.objects ?? noObjects),
      held?.content.trees ?? new Map(),
      this.#limits,
    );
    return { info, content };
  }

  #snapshot({ info, content }: HeldCommit, target: ResolvedRef): Snapshot {
    const { entries, objects } = content;
    const what = (path: string): string => `read ${path} at ${info.revision.sha.slice(0, 8)} of ${this.#remote.name}`;
    return {
      revision: info.revision,
      ref: target.name,
      entries,
      read: async (path) => readFile(entries.get(path), objects, what(path)),
    };
  }

  #incomplete(target: ResolvedRef, cause: MissingObject): OperatorError {
    return sourceError('FetchFailed', `fetch ${target.name} from ${this.#remote.name}: the server left out object ${cause.oid}`, {
      hint: 'run git fsck on the repository',
      cause,
    });
  }
}

const noRefs: RefList = { refs: new Map() };

function fetchAll(wants: readonly string[], depth: number | undefined): FetchRequest {
  return { wants, haves: [], shallow: [], depth, commitsOnly: false };
}

function readFile(entry: SnapshotEntry | undefined, objects: ObjectMap, what: string): Uint8Array {
  const object = entry === undefined || entry.kind === 'submodule' ? undefined : objects.get(entry.oid);
  if (entry === undefined || object === undefined) throw sourceError('FetchFailed', `${what}: the commit holds no such file`);
  return readObject(object, entry.oid);
}
