/**
 * Text for a cell or a sentence: nothing in it is taken as Markdown or HTML. What would call a person or another
 * issue (`@name`, `#12`) goes into a code span, so that nobody is notified.
 */
export function inline(text: string): string {
  const parts = text
    .replace(/\s+/g, ' ')
    .trim()
    .split(/([@#][A-Za-z0-9][\w/-]*)/);
  return parts
    .map((part, index) => (index % 2 === 1 ? code(part) : part.replace(/[\\`*_{}[\]<>#|~]/g, '\\$&')))
    .join('');
}

/** A code span, also for text that holds backticks (CommonMark 6.1); fit for a table cell. */
export function code(text: string): string {
  const plain = text.replace(/\s+/g, ' ').replaceAll('|', '\\|');
  const longest = Math.max(0, ...(plain.match(/`+/g) ?? []).map((ticks) => ticks.length));
  const fence = '`'.repeat(longest + 1);
  const pad = longest > 0 ? ' ' : '';
  return `${fence}${pad}${plain}${pad}${fence}`;
}

/** A link when the address is a plain web address, else the text alone. */
export function link(text: string, url: string | undefined): string {
  const isPlain = url !== undefined && /^https?:\/\/[^\s()<>[\]"'`|]+$/.test(url);
  return isPlain ? `[${text}](${url})` : text;
}

/** A table; at most `limit` rows, the rest is counted. */
export function table(head: readonly string[], rows: readonly (readonly string[])[], limit = 50): string {
  const shown = rows.slice(0, limit).map((row) => `| ${row.join(' | ')} |`);
  const lines = [`| ${head.join(' | ')} |`, `|${head.map(() => '---').join('|')}|`, ...shown];
  const more = rows.length > limit ? `\n\n… and ${rows.length - limit} more` : '';
  return `${lines.join('\n')}${more}`;
}

/** Joins sections, empty ones left out; while they are too long together, the longest one loses its end. */
export function fitSections(sections: readonly string[], limit: number): string {
  const parts = sections.filter((section) => section !== '');
  const separator = '\n\n';
  const excess = parts.join(separator).length - limit;
  if (excess <= 0) return parts.join(separator);
  const longest = parts.reduce((a, b) => (b.length > a.length ? b : a));
  const kept = longest.slice(0, Math.max(0, longest.length - Math.max(excess, 1000)));
  const cut = `${kept.slice(0, Math.max(0, kept.lastIndexOf('\n')))}${separator}… cut: too long for a pull request`;
  return fitSections(parts.with(parts.indexOf(longest), cut), limit);
}
