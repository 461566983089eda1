// Text from Git and the cluster made fit for a terminal and a log. The command line has its own escapes.

const invisible = /[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/gu;
const userInfo = /\b([a-z][a-z0-9+.-]*:\/\/)[^/\s@]+@/gi;

/**
 * The text with control characters and marks that reorder text written as `\u….`, and without the user information of URLs.
 * Guarantees: one line stays one line, and no terminal acts on it.
 */
export function safeText(text: string): string {
  const escaped = text.replace(invisible, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return escaped.replace(userInfo, '$1***@');
}
