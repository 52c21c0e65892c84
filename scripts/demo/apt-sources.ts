import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Where the host itself gets Debian packages from. */
export interface DebianMirrors {
  readonly main: string;
  readonly security: string;
}

/**
 * Reads the mirrors out of the host's own apt configuration, so that the demo works behind the same walls.
 * Formats: one-line (`deb [options] URI suite components`) and deb822 (`URIs:`, `Suites:`), see sources.list(5).
 */
export async function readMirrors(suite: string, folder = '/etc/apt'): Promise<DebianMirrors> {
  const entries = (await readSources(folder)).flatMap(parseSources);
  const main = entries.find((entry) => entry.suites.includes(suite))?.uri;
  const security = entries.find((entry) => entry.suites.includes(`${suite}-security`))?.uri;
  if (main !== undefined && security !== undefined) return { main, security };
  const other = main ?? entries.find(({ uri }) => /\/debian\/?$/.test(uri))?.uri;
  if (other === undefined) {
    throw new Error(
      `no Debian mirror in ${folder}/sources.list*; add one that has ${suite}, or run the demo on Debian`,
    );
  }
  return { main: other, security: security ?? other.replace(/\/debian\/?$/, '/debian-security') };
}

async function readSources(folder: string): Promise<string[]> {
  const parts = await readdir(join(folder, 'sources.list.d')).catch(() => []);
  const files = ['sources.list', ...parts.sort().map((name) => join('sources.list.d', name))];
  const texts = files
    .filter((name) => /\.(list|sources)$/.test(name))
    .map((name) => readFile(join(folder, name), 'utf8').catch(() => ''));
  return Promise.all(texts);
}

interface Entry {
  readonly uri: string;
  readonly suites: readonly string[];
}

export function parseSources(text: string): readonly Entry[] {
  return /^(Types|URIs):/m.test(text) ? parseDeb822(text) : parseOneLine(text);
}

function parseOneLine(text: string): Entry[] {
  const lines = text.matchAll(/^deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)/gm);
  return [...lines].map(([, uri = '', suite = '']) => ({ uri, suites: [suite] }));
}

function parseDeb822(text: string): Entry[] {
  const stanzas = text.split(/\n\s*\n/).map((stanza) => stanza.replace(/^#.*$/gm, ''));
  const field = (stanza: string, name: string) =>
    new RegExp(`^${name}:[ \\t]*(.*)$`, 'm').exec(stanza)?.[1]?.trim().split(/\s+/) ?? [];
  return stanzas.flatMap((stanza) => field(stanza, 'URIs').map((uri) => ({ uri, suites: field(stanza, 'Suites') })));
}
