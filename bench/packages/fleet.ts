import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createGunzip } from 'node:zlib';
import { readMirrors } from '../../scripts/demo/apt-sources.ts';
import { digestOf } from '../../src/domain/digest.ts';
import { MEDIA_TYPES, type Registry } from '../../src/registry/registry.ts';
import { tarOf } from '../../test/support/images.ts';
import { createRandom } from '../../test/support/random.ts';

export const SUITE = 'bookworm';
const ARCHITECTURES = ['amd64', 'arm64'] as const;

/**
 * Writes the layers of image platforms that are made of real packages: 120 to 400 each, every tenth in an older version
 * than the archive's. Sources and keys are those of this machine's apt.
 */
export async function writeFleet(directory: string, platforms: number): Promise<void> {
  const random = createRandom(1);
  const { main, security } = await readMirrors(SUITE);
  const sources = [`${main} ${SUITE}`, `${main} ${SUITE}-updates`, `${security} ${SUITE}-security`];
  const shared = {
    'etc/os-release': `ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=${SUITE}\n`,
    'etc/apt/sources.list': sources.map((source) => `deb ${source} main\n`).join(''),
    ...(await trustedKeys()),
  };
  const stanzas = await Promise.all(ARCHITECTURES.map((architecture) => stanzasOf(main, architecture)));
  await mkdir(directory, { recursive: true });
  for (let index = 0; index < platforms; index++) {
    const all = stanzas[index % ARCHITECTURES.length]!;
    const count = 120 + Math.floor(random() * 280);
    const chosen = new Set(Array.from({ length: count }, () => all[Math.floor(random() * all.length)]!));
    const status = [...chosen].map((stanza) => (random() < 0.1 ? older(stanza) : stanza)).join('\n\n');
    const layer = await tarOf({ ...shared, 'var/lib/dpkg/status': `${status}\n` });
    await writeFile(join(directory, digestOf(layer).slice('sha256:'.length)), layer);
  }
}

function older(stanza: string): string {
  return stanza.replace(/^Version: (\d+:)?/m, 'Version: $10~');
}

async function trustedKeys(): Promise<Record<string, string>> {
  const folder = '/etc/apt/trusted.gpg.d';
  const names = (await readdir(folder)).filter((name) => name.endsWith('.asc'));
  const keys = names.map(async (name) => [`etc/apt/trusted.gpg.d/${name}`, await readFile(join(folder, name), 'utf8')]);
  return Object.fromEntries(await Promise.all(keys));
}

/** As dpkg keeps them: with the status in place of where the file is. */
async function stanzasOf(mirror: string, architecture: string): Promise<readonly string[]> {
  const response = await fetch(`${mirror}/dists/${SUITE}/main/binary-${architecture}/Packages.gz`);
  const unpacked = createGunzip();
  unpacked.end(Buffer.from(await response.arrayBuffer()));
  const chunks: Buffer[] = [];
  for await (const chunk of unpacked) chunks.push(chunk as Buffer);
  const stanzas = Buffer.concat(chunks)
    .toString()
    .split('\n\n')
    .filter((stanza) => stanza !== '');
  return stanzas.map((stanza) =>
    stanza
      .replace(/^(Filename|Size|MD5sum|SHA256|Description-md5|Tag): .*\n(?: .*\n)*/gm, '')
      .replace('\n', '\nStatus: install ok installed\n'),
  );
}

/** A registry that has these layers, each an image by itself, and nothing else. */
export function registryOf(directory: string): Pick<Registry, 'manifest' | 'blobStream'> {
  return {
    async manifest({ digest }) {
      const layers = [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest, size: 1 }];
      const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.manifest, layers }));
      return { descriptor: { mediaType: MEDIA_TYPES.manifest, digest: digest!, size: bytes.length }, bytes };
    },
    async blobStream(_, { digest }) {
      const content = await readFile(join(directory, digest.slice('sha256:'.length)));
      return (async function* () {
        yield content;
      })();
    },
  };
}

const [folder, platforms] = process.argv.slice(2);
if (import.meta.main && folder !== undefined) await writeFleet(folder, Number(platforms));
