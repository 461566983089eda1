// Types of path-browserify, which ships none: it is Node's own path.posix.
declare module 'path-browserify' {
  import path from 'node:path';

  const posix: typeof path.posix;
  export = posix;
}
