import { parseDeb822, type Stanza, wordsOf } from './deb822.ts';

/** One suite of one archive, as sources.list(5) names it: what apt has a Release file of. */
export interface DebSource {
  /** As written, with a slash at its end. */
  readonly uri: string;
  /** With a slash at its end: a flat archive, whose indexes are beside its Release file. */
  readonly suite: string;
  readonly components: readonly string[];
  /** Absent: those of the image. */
  readonly architectures?: readonly string[];
  /** Paths of keyrings in the image, or fingerprints that limit who may sign. Empty: any trusted key. */
  readonly signedBy: readonly string[];
  /** A key in the source itself, as armored text. */
  readonly inlineKey?: string;
  readonly trusted: boolean;
  readonly checkValidUntil?: boolean;
  /** The file that says so. */
  readonly file: string;
}

/** Files of `/etc/apt` that name archives, in apt's order. */
export function isSourcesFile(path: string): boolean {
  // run-parts names, as apt takes them
  return path === '/etc/apt/sources.list' || /^\/etc\/apt\/sources\.list\.d\/[\w.-]+\.(list|sources)$/.test(path);
}

/** The sources of binary packages in one file, each suite by itself; disabled ones are left out. */
export function parseDebSources(text: string, file: string): readonly DebSource[] {
  return file.endsWith('.sources')
    ? parseDeb822(text).flatMap((stanza) => fromStanza(stanza, file))
    : lines(text, file);
}

function fromStanza(stanza: Stanza, file: string): DebSource[] {
  const disabled = isNo(stanza.get('enabled'));
  if (disabled || !wordsOf(stanza, 'types').includes('deb')) return [];
  const inlineKey = inlineKeyOf(stanza.get('signed-by'));
  const options = {
    components: wordsOf(stanza, 'components'),
    ...architecturesOf(wordsOf(stanza, 'architectures'), wordsOf(stanza, 'architectures-remove')),
    signedBy: inlineKey === undefined ? listOf(stanza.get('signed-by')) : [],
    ...(inlineKey === undefined ? {} : { inlineKey }),
    trusted: isYes(stanza.get('trusted')) || isYes(stanza.get('allow-insecure')),
    ...validUntilOf(stanza.get('check-valid-until')),
    file,
  };
  return wordsOf(stanza, 'uris').flatMap((uri) =>
    wordsOf(stanza, 'suites').map((suite) => ({ uri: withSlash(uri), suite, ...options })),
  );
}

/** Lines after the first stand for themselves, a dot for an empty one (deb822(5)). */
function inlineKeyOf(field: string | undefined): string | undefined {
  if (!field?.includes('-----BEGIN PGP')) return undefined;
  const text = field.split('\n').map((line) => (line === '.' ? '' : line));
  return `${text.join('\n').trim()}\n`;
}

/** `deb [signed-by=/usr/share/keyrings/x.gpg arch=amd64,arm64] https://deb.example.org/debian bookworm main` */
function lines(text: string, file: string): DebSource[] {
  return text.split(/\r?\n/).flatMap((line) => {
    const found = /^\s*deb\s+(?:\[([^\]]*)\]\s*)?(\S+)\s+(\S+)((?:\s+[^\s#]+)*)\s*(?:#.*)?$/.exec(line);
    if (found === null) return [];
    const [, bracket = '', uri = '', suite = '', components = ''] = found;
    const options = optionsOf(bracket);
    return [
      {
        uri: withSlash(uri),
        suite,
        components: components.split(/\s+/).filter(Boolean),
        ...architecturesOf(listOf(options.get('arch')), listOf(options.get('arch-'))),
        signedBy: listOf(options.get('signed-by')),
        trusted: isYes(options.get('trusted')) || isYes(options.get('allow-insecure')),
        ...validUntilOf(options.get('check-valid-until')),
        file,
      },
    ];
  });
}

function optionsOf(bracket: string): ReadonlyMap<string, string> {
  const pairs = bracket.matchAll(/([\w-]+)([+-])?=("[^"]*"|\S+)/g);
  return new Map([...pairs].map(([, name = '', sign = '', value = '']) => [optionName(name, sign), unquote(value)]));
}

/** `arch-=` takes some away; `arch+=` adds to what the image has anyway, and so says nothing new. */
function optionName(name: string, sign: string): string {
  return `${name.toLowerCase()}${sign}`;
}

function unquote(value: string): string {
  return value.startsWith('"') ? value.slice(1, -1) : value;
}

function architecturesOf(wanted: readonly string[], removed: readonly string[]) {
  const architectures = wanted.filter((each) => !removed.includes(each));
  return wanted.length === 0 ? {} : { architectures };
}

function validUntilOf(value: string | undefined) {
  return value === undefined ? {} : { checkValidUntil: !isNo(value) };
}

function listOf(value: string | undefined): string[] {
  return (value ?? '').split(/[\s,]+/).filter((word) => word !== '');
}

function withSlash(uri: string): string {
  return uri.endsWith('/') ? uri : `${uri}/`;
}

/** apt's words for a switch (apt.conf(5)). */
function isYes(value: string | undefined): boolean {
  return value !== undefined && /^(yes|true|with|on|enable|1)$/i.test(value);
}

function isNo(value: string | undefined): boolean {
  return value !== undefined && /^(no|false|without|off|disable|0)$/i.test(value);
}
