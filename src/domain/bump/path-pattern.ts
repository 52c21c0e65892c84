const compiled = new Map<string, RegExp>();

/** Whether a path, with slashes, fits a pattern: `*` within a folder, `**` across folders, `?`, `{a,b}`. */
export function isBelowPattern(path: string, pattern: string): boolean {
  const known = compiled.get(pattern) ?? compile(pattern);
  compiled.set(pattern, known);
  return known.test(path);
}

function compile(pattern: string): RegExp {
  const source = pattern.replace(/^\.?\//, '').replaceAll(/\*\*\/|\*\*|\*|\?|\{[^{}]*\}|[^*?{]|\{/g, (part) => {
    if (part === '**/') return '(?:[^/]+/)*';
    if (part === '**') return '.*';
    if (part === '*') return '[^/]*';
    if (part === '?') return '[^/]';
    if (part.length > 1 && part.startsWith('{')) return `(?:${part.slice(1, -1).split(',').map(literal).join('|')})`;
    return literal(part);
  });
  // A folder stands for all that is in it.
  return new RegExp(`^${source}(?:/.*)?$`, 'u');
}

function literal(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
