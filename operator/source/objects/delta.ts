// Git's delta encoding (gitformat-pack, "Deltified representation"), with every length checked before memory is taken.

/**
 * The target of a delta, or what is wrong with the delta.
 * `take` is called with the target's size before it is allocated, and may throw.
 */
export function applyDelta(delta: Uint8Array, base: Uint8Array, take: (size: number) => void): Buffer | string {
  const sizes = readSizes(delta);
  if (sizes === undefined) return 'a delta is cut';
  if (sizes.base !== base.length) return 'a delta does not fit its base';
  take(sizes.target);
  const target = Buffer.allocUnsafe(sizes.target);
  let written = 0;
  let cursor = sizes.end;
  while (cursor < delta.length) {
    const code = delta[cursor++] ?? 0;
    if (code === 0) return 'a delta holds a reserved instruction';
    if (code < 0x80) {
      if (cursor + code > delta.length || written + code > target.length) return 'a delta writes past its end';
      target.set(delta.subarray(cursor, cursor + code), written);
      cursor += code;
      written += code;
      continue;
    }
    const copy = readCopy(delta, cursor, code);
    cursor = copy.end;
    if (copy.offset + copy.size > base.length || written + copy.size > target.length) return 'a delta copies past the end';
    target.set(base.subarray(copy.offset, copy.offset + copy.size), written);
    written += copy.size;
  }
  return written === target.length ? target : 'a delta gives fewer bytes than it declares';
}

function readSizes(delta: Uint8Array): { readonly base: number; readonly target: number; readonly end: number } | undefined {
  const base = readVarint(delta, 0);
  const target = base === undefined ? undefined : readVarint(delta, base.end);
  return base === undefined || target === undefined ? undefined : { base: base.value, target: target.value, end: target.end };
}

function readVarint(bytes: Uint8Array, start: number): { readonly value: number; readonly end: number } | undefined {
  let value = 0;
  let scale = 1;
  for (let cursor = start; cursor < bytes.length && scale <= 2 ** 49; cursor += 1, scale *= 128) {
    const byte = bytes[cursor] ?? 0;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return { value, end: cursor + 1 };
  }
  return undefined;
}

/** Bits 0–3 of the code say which offset bytes follow, bits 4–6 which size bytes. Size 0 means 65,536. */
function readCopy(
  delta: Uint8Array,
  start: number,
  code: number,
): { readonly offset: number; readonly size: number; readonly end: number } {
  let cursor = start;
  let offset = 0;
  let size = 0;
  for (let bit = 0; bit < 4; bit += 1) if (code & (1 << bit)) offset += (delta[cursor++] ?? 0) * 2 ** (8 * bit);
  for (let bit = 0; bit < 3; bit += 1) if (code & (0x10 << bit)) size += (delta[cursor++] ?? 0) * 2 ** (8 * bit);
  return { offset, size: size === 0 ? 0x10000 : size, end: cursor };
}
