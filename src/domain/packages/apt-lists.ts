import { isFlat } from './apt-setup.ts';
import type { DebSource } from './deb-sources.ts';

/**
 * The name under which apt keeps a file of an archive in /var/lib/apt/lists: its address without scheme and account
 * (apt-pkg/contrib/strutl.cc, URItoFileName).
 */
export function aptListName(source: Pick<DebSource, 'uri' | 'suite'>, path: string): string {
  const folder = isFlat(source) ? source.suite.replace(/^\/$/, '') : `dists/${source.suite}/`;
  const address = `${source.uri}${folder}${path}`.replace(/^[a-z+]+:\/\/(?:[^/@]*@)?/i, '');
  return address.replace(QUOTED, (character) => `%${character.charCodeAt(0).toString(16)}`).replaceAll('/', '_');
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: apt quotes these, too
const QUOTED = /[\\|{}[\]<>"^~_=!@#$%&*\u0000-\u0020\u007f]/g;
