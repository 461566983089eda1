// How long texts in a status may be, and the cut. The schema in constructs/ states the same limits.

/** The message of a condition or of health. */
export const messageLimit = 2_048;
/** Messages and hints of which a list holds many. */
export const listedTextLimit = 1_024;
/** Paths of files, constructs and fields. */
export const pathLimit = 256;
/** Names of people, subjects of commits. */
export const shortTextLimit = 256;

/** The text on one line, cut to `limit` UTF-16 units with an ellipsis; never through a surrogate pair. */
export function cutText(lines: string, limit: number): string {
  const text = lines
    .slice(0, limit * 4)
    .trim()
    .replace(/\s*[\r\n]\s*/g, ' ');
  if (text.length <= limit) return text;
  const cut = text.slice(0, limit - 1);
  const last = cut.charCodeAt(cut.length - 1);
  const splitsPair = last >= 0xd800 && last <= 0xdbff;
  return `${splitsPair ? cut.slice(0, -1) : cut}…`;
}
