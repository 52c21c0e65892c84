const SPECIAL = /[.*+?^${}()|[\]\\/]/g;

/** `*` stands for anything but a slash, `**` for anything at all; everything else for itself. The whole text has to fit. */
export function matchesGlob(glob: string, text: string): boolean {
  const pattern = glob
    .split(/(\*+)/)
    .map((part) => (part.startsWith('*') ? wildcard(part) : part.replace(SPECIAL, String.raw`\$&`)))
    .join('');
  return new RegExp(`^${pattern}$`, 's').test(text);
}

function wildcard(stars: string): string {
  return stars.length === 1 ? '[^/]*' : '.*';
}
