import { createWriteStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type Digest, digestOf } from '../domain/digest.ts';
import { aptListName } from '../domain/packages/apt-lists.ts';
import { indexPaths } from '../domain/packages/apt-setup.ts';
import type { DebSource } from '../domain/packages/deb-sources.ts';
import { unpackIndex } from './apt-index.ts';
import type { AptSuite } from './apt-suites.ts';

/** A source of one image, its architectures, and the suite that it leads to. */
export interface ListedSuite {
  readonly source: DebSource;
  readonly architectures: readonly string[];
  readonly suite: AptSuite;
}

/**
 * Writes the folder that apt would have after `update`: the signed lists and the unpacked indexes, by their addresses
 * as the build names them. Returns a digest over what the archives signed.
 */
export async function writeAptLists(suites: readonly ListedSuite[], directory: string): Promise<Digest> {
  await mkdir(join(directory, 'partial'), { recursive: true });
  const written = new Map<string, Digest>();
  for (const { source, architectures, suite } of suites) {
    const { signed, release } = suite;
    for (const [file, content] of signedFiles(signed)) {
      await writeFile(join(directory, aptListName(source, file)), content);
    }
    written.set(aptListName(source, 'Release'), suite.digest);
    for (const { path } of indexPaths(source, architectures, release.ownIndexOfAll)) {
      const name = aptListName(source, path);
      const packed = written.has(name) ? undefined : suite.packed(path);
      if (packed === undefined) continue;
      const { bytes, path: packedPath } = await packed;
      await pipeline(unpackIndex(bytes, packedPath), createWriteStream(join(directory, name)));
      written.set(name, digestOf(bytes));
    }
  }
  return digestOf(JSON.stringify([...written].sort()));
}

function signedFiles(signed: AptSuite['signed']): readonly (readonly [string, Uint8Array])[] {
  if (signed.kind === 'clearsigned') return [['InRelease', signed.text]];
  return [
    ['Release', signed.text],
    ['Release.gpg', signed.signature],
  ];
}
