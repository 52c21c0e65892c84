/** One stanza of a control file: field names in small letters to values, without the space around them. */
export type Stanza = ReadonlyMap<string, string>;

/**
 * Parses what deb822(5) describes: dpkg's status, Release files, sources, preferences. Lines of a value after the first
 * keep their line break, and lose their leading space; comment lines are left out.
 */
export function parseDeb822(text: string): readonly Stanza[] {
  const stanzas: Stanza[] = [];
  let stanza = new Map<string, string>();
  let field = '';
  for (const line of text.split(/\r?\n/)) {
    if (line.startsWith('#')) continue;
    if (line.trim() === '') {
      if (stanza.size > 0) stanzas.push(stanza);
      stanza = new Map();
      field = '';
    } else if (line.startsWith(' ') || line.startsWith('\t')) {
      if (field !== '') stanza.set(field, `${stanza.get(field)}\n${line.trim()}`);
    } else {
      const colon = line.indexOf(':');
      if (colon <= 0) continue;
      field = line.slice(0, colon).toLowerCase();
      stanza.set(field, line.slice(colon + 1).trim());
    }
  }
  return stanza.size > 0 ? [...stanzas, stanza] : stanzas;
}

/** The words of a field; empty when it is absent. */
export function wordsOf(stanza: Stanza, field: string): readonly string[] {
  return (stanza.get(field) ?? '').split(/\s+/).filter((word) => word !== '');
}
