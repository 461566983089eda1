// Makes text that came from a cluster or a repository safe to print: no escape sequence, no line break, no reversal of direction reaches the terminal.

// C0 and DEL, C1, line separators, and the characters that change the direction of text.
const unsafe = /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;
const named: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** One line of printable text: control characters become `\n`, `\x1b`, `\u202e`. */
export function escapeControl(text: string): string {
  return text.replace(unsafe, (character) => named[character] ?? escapeOf(character));
}

/** Text of several lines: line breaks and tabs stay, every other control character is escaped. */
export function escapeLines(text: string): string {
  return text.replace(unsafe, (character) => (character === '\n' || character === '\t' ? character : escapeOf(character)));
}

// Serializers put strings with these into double quotes, and leave DEL and C1 in there as they are.
const unsafeInQuotes = /(?![\t\n])\p{Cc}/gu;

/** JSON or YAML text in which every control character is written `\uXXXX`: it reads back as the same value. */
export function escapeSerialized(text: string): string {
  return text.replace(unsafeInQuotes, (character) => `\\u${hex(character, 4)}`);
}

function escapeOf(character: string): string {
  const code = character.charCodeAt(0);
  return code < 0x100 ? `\\x${hex(character, 2)}` : `\\u${hex(character, 4)}`;
}

function hex(character: string, digits: number): string {
  return character.charCodeAt(0).toString(16).padStart(digits, '0');
}
