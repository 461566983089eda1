// Types of the module that the toolchain generates: the provided packages as a table.
declare module 'setpoint:provided' {
  /** Loads a module of a provided package by the name it is imported under. */
  export const modules: Readonly<Record<string, () => unknown>>;
  export const packageVersions: Readonly<Record<string, string>>;
}
declare module 'path-browserify' {
  import path from 'node:path';

  const posix: typeof path.posix;
  export = posix;
}
