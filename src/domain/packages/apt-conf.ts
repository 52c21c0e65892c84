/** Options of apt by their full names in small letters: `apt::default-release` to `bookworm`. The last one wins. */
export type AptOptions = ReadonlyMap<string, string>;

/** Files that set options, in apt's order: apt.conf.d first, apt.conf last. */
export function isAptConf(path: string): boolean {
  // apt takes names without an extension, and *.conf (apt.conf(5)).
  return path === '/etc/apt/apt.conf' || /^\/etc\/apt\/apt\.conf\.d\/([\w:-]+|[\w.:-]+\.conf)$/.test(path);
}

/** Reads apt.conf(5): `A::B "value";`, and the same in nested blocks. Lists and directives are read over. */
export function parseAptConf(texts: readonly string[]): AptOptions {
  const options = new Map<string, string>();
  for (const text of texts) readOptions(text, options);
  return options;
}

/** Comments, quoted values, signs and bare words. */
const TOKENS = /\/\/[^\n]*|\/\*[\s\S]*?\*\/|^\s*#[^\n]*|"([^"]*)"|[{};]|[^\s{};"]+/gm;

function readOptions(text: string, options: Map<string, string>): void {
  const scopes: string[] = [];
  let words: string[] = [];
  for (const [token, quoted] of text.matchAll(TOKENS)) {
    if (/^(\/\/|\/\*|\s*#)/.test(token)) continue;
    if (token === '{') {
      scopes.push(words.join(''));
      words = [];
    } else if (token === '}') {
      scopes.pop();
      words = [];
    } else if (token === ';') {
      const [name, value] = words;
      if (name !== undefined && value !== undefined) options.set([...scopes, name].join('::').toLowerCase(), value);
      words = [];
    } else words.push(quoted ?? token);
  }
}

/** apt's reading of a switch; anything else leaves it as it is. */
export function isOff(options: AptOptions, name: string): boolean {
  return /^(no|false|without|off|disable|0)$/i.test(options.get(name) ?? '');
}
