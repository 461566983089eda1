// A manifest repo's work tree as its author has it: write, commit, push, revert. The server side is in git-server.ts.
import { chmodSync, cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { runGit } from './run-git.ts';

export interface Person {
  readonly name: string;
  readonly email: string;
}

export interface CommitOptions {
  readonly author?: Person;
  /** Of author and committer, such as `2026-01-31T12:00:00Z`. @default now */
  readonly date?: string;
  /** Commit even when no file changed. @default false */
  readonly allowEmpty?: boolean;
  /** Path of an SSH private key, or name of a PGP key, to sign with. */
  readonly sign?: { readonly format: 'ssh' | 'openpgp'; readonly key: string };
}

export interface ManifestRepoOptions {
  /** Folder of the work tree. */
  readonly directory: string;
  /** Address to push to. May hold credentials. */
  readonly remote?: string;
  /** @default 'main' */
  readonly branch?: string;
  /** @default Ada Author */
  readonly author?: Person;
}

const AUTHOR: Person = { name: 'Ada Author', email: 'ada@example.com' };

/** Each method does what the git command of its name does, and fails with what git said. */
export class ManifestRepo {
  readonly directory: string;
  readonly #author: Person;

  private constructor(directory: string, author: Person) {
    this.directory = directory;
    this.#author = author;
  }

  /** A new work tree without a commit. */
  static async create({ directory, remote, branch = 'main', author = AUTHOR }: ManifestRepoOptions): Promise<ManifestRepo> {
    mkdirSync(directory, { recursive: true });
    const repo = new ManifestRepo(directory, author);
    await repo.git('init', '-q', `--initial-branch=${branch}`);
    if (remote) await repo.git('remote', 'add', 'origin', remote);
    return repo;
  }

  static async clone({
    directory,
    remote,
    branch,
    author = AUTHOR,
  }: ManifestRepoOptions & { readonly remote: string }): Promise<ManifestRepo> {
    mkdirSync(directory, { recursive: true });
    const repo = new ManifestRepo(directory, author);
    await repo.git('clone', '-q', ...(branch ? ['--branch', branch] : []), remote, '.');
    return repo;
  }

  /** Writes files by path; undefined removes one. */
  write(files: Readonly<Record<string, string | Uint8Array | undefined>>): void {
    for (const [path, content] of Object.entries(files)) {
      const target = join(this.directory, path);
      if (content === undefined) {
        rmSync(target, { recursive: true });
        continue;
      }
      mkdirSync(dirname(target), { recursive: true });
      writeFileSync(target, content);
    }
  }

  /** Copies a folder into the work tree, without its node_modules. */
  copy(from: string, to = '.'): void {
    cpSync(from, join(this.directory, to), { recursive: true, filter: (path) => !/(^|\/)(node_modules|dist|\.git)$/.test(path) });
  }

  makeExecutable(path: string): void {
    chmodSync(join(this.directory, path), 0o755);
  }

  /** Commits every change of the work tree. @returns the commit. */
  async commit(message: string, options: CommitOptions = {}): Promise<string> {
    await this.git('add', '--all');
    const signing = options.sign ? ['-c', `gpg.format=${options.sign.format}`, '-c', `user.signingkey=${options.sign.key}`] : [];
    const flags = [...(options.sign ? ['-S'] : []), ...(options.allowEmpty ? ['--allow-empty'] : [])];
    await this.#as(options, ...signing, 'commit', '-q', '-m', message, ...flags);
    return this.head();
  }

  /** Writes and commits in one go. */
  async commitFiles(
    message: string,
    files: Readonly<Record<string, string | Uint8Array | undefined>>,
    options?: CommitOptions,
  ): Promise<string> {
    this.write(files);
    return this.commit(message, options);
  }

  /** @default the current branch */
  async push(ref = 'HEAD'): Promise<void> {
    await this.git('push', '-q', 'origin', ref);
  }

  async forcePush(ref = 'HEAD'): Promise<void> {
    await this.git('push', '-q', '--force', 'origin', ref);
  }

  /** Makes the commit that takes back another one. @returns the new commit. */
  async revert(commit: string, options: CommitOptions = {}): Promise<string> {
    await this.#as(options, 'revert', '--no-edit', commit);
    return this.head();
  }

  /** With a message the tag is an object of its own (annotated). */
  async tag(name: string, { message, commit = 'HEAD' }: { readonly message?: string; readonly commit?: string } = {}): Promise<void> {
    await this.#as({}, 'tag', ...(message === undefined ? [] : ['-a', '-m', message]), name, commit);
  }

  /** Moves branch and work tree to a commit, dropping what came after. */
  async reset(commit: string): Promise<void> {
    await this.git('reset', '-q', '--hard', commit);
  }

  /** Switches to a branch, and creates it at the current commit when it does not exist. */
  async switch(branch: string): Promise<void> {
    const exists = await this.git('branch', '--list', branch);
    await this.git('switch', '-q', ...(exists ? [] : ['-c']), branch);
  }

  async head(ref = 'HEAD'): Promise<string> {
    return this.git('rev-parse', ref);
  }

  /** Any other git command. @returns what it wrote. */
  async git(...args: string[]): Promise<string> {
    return runGit(args, { directory: this.directory });
  }

  async #as({ author = this.#author, date }: CommitOptions, ...args: string[]): Promise<string> {
    const who = {
      GIT_AUTHOR_NAME: author.name,
      GIT_AUTHOR_EMAIL: author.email,
      GIT_COMMITTER_NAME: author.name,
      GIT_COMMITTER_EMAIL: author.email,
    };
    const when: Record<string, string> = date ? { GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date } : {};
    return runGit(args, { directory: this.directory, env: { ...who, ...when } });
  }
}
