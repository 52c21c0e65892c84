import { parseDeb822 } from './deb822.ts';

/** A record of apt_preferences(5). */
export interface Pin {
  /** Names, patterns (`linux-*`, `/regex/`), `src:name`; `*` alone means every version of everything. */
  readonly packages: readonly string[];
  readonly kind: 'version' | 'release' | 'origin';
  /** `a=bookworm-backports`, a version, or a host. */
  readonly data: string;
  readonly priority: number;
}

/** Files with pins, in apt's order. */
export function isPreferences(path: string): boolean {
  return path === '/etc/apt/preferences' || /^\/etc\/apt\/preferences\.d\/([\w:-]+|[\w.:-]+\.pref)$/.test(path);
}

/** The pins of one file, as written; what apt ignores is left out. */
export function parsePreferences(text: string): readonly Pin[] {
  return parseDeb822(text).flatMap((stanza) => {
    const packages = (stanza.get('package') ?? '').split(/\s+/).filter(Boolean);
    const [, word = '', data = ''] = /^(\S+)\s*([\s\S]*)$/.exec(stanza.get('pin') ?? '') ?? [];
    const kind = word.toLowerCase();
    const priority = Number.parseInt(stanza.get('pin-priority') ?? '', 10);
    const complete = packages.length > 0 && priority && isKind(kind);
    return complete ? [{ packages, kind, data: data.trim(), priority } satisfies Pin] : [];
  });
}

function isKind(word: string): word is Pin['kind'] {
  return word === 'version' || word === 'release' || word === 'origin';
}
