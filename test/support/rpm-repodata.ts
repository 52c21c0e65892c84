import { gzipSync, zstdCompressSync } from 'node:zlib';
import { digestOf, hexOf } from '../../src/domain/digest.ts';
import type { TestArchive } from './apt-archive.ts';

export interface ListedRpm {
  readonly name: string;
  /** `1.0-1`; epoch 0. */
  readonly version: string;
  readonly architecture: string;
}

export interface TestRepodata {
  readonly rpms: readonly ListedRpm[];
  /** Of an advisory of type security. */
  readonly security?: readonly ListedRpm[];
  readonly packing?: '.gz' | '.zst' | '';
  /** Of the checksums, as `repomd.xml` names it. */
  readonly algorithm?: string;
  /** Changes the list before it is put there. */
  readonly edit?: (repomd: string) => string;
}

const PACK = { '.gz': gzipSync, '.zst': zstdCompressSync, '': (bytes: Buffer) => bytes };

/** Puts the lists of a repository under a path as createrepo_c names them; returns `repomd.xml`. */
export function publishRepodata(
  archive: Pick<TestArchive, 'files'>,
  path: string,
  { rpms, security = [], packing = '.gz', algorithm = 'sha256', edit = (text) => text }: TestRepodata,
): Buffer {
  const put = (type: string, text: string) => {
    const bytes = PACK[packing](Buffer.from(text));
    const hash = hexOf(digestOf(bytes));
    const name = `repodata/${hash}-${type}.xml${packing}`;
    archive.files.set(`${path}${name}`, bytes);
    return `<data type="${type}"><checksum type="${algorithm}">${hash}</checksum><open-checksum type="sha256">x</open-checksum><location href="${name}"/><size>${bytes.length}</size></data>`;
  };
  const lists = [
    put('primary', primary(rpms)),
    ...(security.length > 0 ? [put('updateinfo', updateinfo(security))] : []),
  ];
  const repomd = Buffer.from(edit(`<?xml version="1.0"?>\n<repomd>${lists.join('\n')}</repomd>\n`));
  archive.files.set(`${path}repodata/repomd.xml`, repomd);
  return repomd;
}

function primary(rpms: readonly ListedRpm[]): string {
  const packages = rpms.map(({ name, version, architecture }) => {
    const [upstream, release] = version.split('-');
    return `<package type="rpm"><name>${name}</name><arch>${architecture}</arch><version epoch="0" ver="${upstream}" rel="${release}"/><format><rpm:provides><rpm:entry name="x &amp; y"/></rpm:provides><file>/usr/bin/${name}</file></format></package>`;
  });
  return `<?xml version="1.0"?>\n<metadata xmlns:rpm="x" packages="${rpms.length}">${packages.join('\n')}</metadata>`;
}

function updateinfo(rpms: readonly ListedRpm[]): string {
  const packages = rpms.map(({ name, version, architecture }) => {
    const [upstream, release] = version.split('-');
    return `<package name="${name}" epoch="0" version="${upstream}" release="${release}" arch="${architecture}"/>`;
  });
  return `<updates><update type="security"><id>A</id><pkglist><collection>${packages.join('')}</collection></pkglist></update></updates>`;
}
