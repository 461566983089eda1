// Order of resource versions. Nothing else is read out of them.

/** Whether a resource version is older than another. Both are growing numbers (KEP-5504); of anything else nothing is known, so it is not older. */
export function isOlderVersion(left: string, right: string): boolean {
  if (!/^\d+$/.test(left) || !/^\d+$/.test(right)) return false;
  return left.length === right.length ? left < right : left.length < right.length;
}
