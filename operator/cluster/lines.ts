// A stream of bytes as lines of text. What a line says is not looked at.

const maxLineLength = 64 * 1024 * 1024;

/** Lines of a stream; a last line without an end is not a line. */
export async function* linesOf(stream: AsyncIterable<Uint8Array>, onBytes: () => void): AsyncIterable<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const bytes of stream) {
    onBytes();
    rest += decoder.decode(bytes, { stream: true });
    let start = 0;
    for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n', start)) {
      if (end > start) yield rest.slice(start, end);
      start = end + 1;
    }
    rest = rest.slice(start);
    if (rest.length > maxLineLength) throw new Error('a line of the watch is too long');
  }
}
