// The provided packages as a table. The toolchain puts the real one in place of this empty one, which only gives it its types.

/** Loads a module of a provided package by the name it is imported under. */
export const modules: Readonly<Record<string, () => unknown>> = {};
/** Versions of the provided packages. */
export const packageVersions: Readonly<Record<string, string>> = {};
