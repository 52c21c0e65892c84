import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { createCleartextMessage, createMessage, generateKey, type PrivateKey, sign } from 'openpgp';
import { digestOf, hexOf } from '../../src/domain/digest.ts';

/** An archive of packages on loopback: files by path, and who asked for what. */
export interface TestArchive {
  /** `http://127.0.0.1:<port>/` */
  readonly address: string;
  readonly files: Map<string, Uint8Array>;
  /** `200 /debian/dists/…`, in the order of the answers. */
  readonly requests: string[];
  /** Answers in place of files: a status by path, a redirect by `location`. */
  readonly instead: Map<string, { readonly status: number; readonly location?: string }>;
  stop(): Promise<void>;
}

export async function startArchive(): Promise<TestArchive> {
  const files = new Map<string, Uint8Array>();
  const requests: string[] = [];
  const instead: TestArchive['instead'] = new Map();
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url!, 'http://localhost').pathname);
    const content = files.get(path);
    const etag = content && `"${hexOf(digestOf(content))}"`;
    const { status, location } = instead.get(path) ?? {
      status: content === undefined ? 404 : request.headers['if-none-match'] === etag ? 304 : 200,
    };
    requests.push(`${status} ${path}`);
    response.writeHead(status, { ...(etag && { etag }), ...(location && { location }) });
    response.end(status === 200 ? content : undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  server.unref();
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    ...{ files, requests, instead },
    stop: () => new Promise((resolve) => void server.close(() => resolve()).closeAllConnections()),
  };
}

export interface ArchiveKey {
  readonly privateKey: PrivateKey;
  /** As files of a keyring. */
  readonly armored: Uint8Array;
  readonly binary: Uint8Array;
  /** Upper case. */
  readonly fingerprint: string;
}

/** A key that an archive may sign with, valid from a day before `date`. */
export async function createArchiveKey(date: Date, expiresAfterDays?: number): Promise<ArchiveKey> {
  const created = new Date(date.getTime() - 86_400_000);
  const { privateKey, publicKey } = await generateKey({
    type: 'ecc',
    userIDs: [{ name: 'Archive', email: 'archive@example.org' }],
    date: created,
    ...(expiresAfterDays === undefined ? {} : { keyExpirationTime: expiresAfterDays * 86_400 }),
    format: 'object',
  });
  return {
    privateKey,
    armored: Buffer.from(publicKey.armor()),
    binary: publicKey.write(),
    fingerprint: publicKey.getFingerprint().toUpperCase(),
  };
}

export interface TestPackage {
  readonly name: string;
  readonly version: string;
  /** Default amd64. */
  readonly architecture?: string;
  readonly source?: string;
  readonly depends?: string;
  /** The package itself, for who downloads it. */
  readonly deb?: Uint8Array;
}

export interface TestSuite {
  /** `bookworm`; `./` for a flat archive. */
  readonly suite: string;
  readonly packages: readonly TestPackage[];
  /** Default `[main]`. */
  readonly component?: string;
  readonly architectures?: readonly string[];
  /** Further or other fields of the Release file. */
  readonly fields?: Readonly<Record<string, string>>;
  readonly date: Date;
  readonly keys: readonly ArchiveKey[];
  /** `inline` (default): InRelease; `detached`: Release and Release.gpg; `none`. */
  readonly signature?: 'inline' | 'detached' | 'none';
  readonly packing?: '.gz' | '.zst' | '';
  /** Packages for all architectures are in an index of their own alone. */
  readonly allApart?: boolean;
  /** Further indexes of the first architecture, ready-made, by their ending. */
  readonly indexes?: Readonly<Record<string, Uint8Array>>;
  /** Below the archive's root; default `/debian/`. */
  readonly root?: string;
}

/** Puts a suite into an archive as mirrors do: its indexes by name and by hash, and the signed list of them. */
export async function publishSuite(archive: Pick<TestArchive, 'files'>, suite: TestSuite): Promise<void> {
  const { root = '/debian/', component = 'main', packing = '.gz', architectures = ['amd64'], allApart = false } = suite;
  const flat = suite.suite.endsWith('/');
  const base = flat ? new URL(suite.suite, `http://x${root}`).pathname : `${root}dists/${suite.suite}/`;
  for (const path of archive.files.keys())
    if (path.startsWith(base) && !path.includes('by-hash')) archive.files.delete(path);
  const listed: string[] = [];
  const put = (path: string, content: Uint8Array, stored = true) => {
    listed.push(` ${hexOf(digestOf(content))} ${content.length} ${path}`);
    if (!stored) return;
    archive.files.set(`${base}${path}`, content);
    const folder = path.includes('/') ? path.slice(0, path.lastIndexOf('/') + 1) : '';
    archive.files.set(`${base}${folder}by-hash/SHA256/${hexOf(digestOf(content))}`, content);
  };
  for (const architecture of flat ? ['amd64'] : architectures) {
    for (const { name, deb } of suite.packages) if (deb) archive.files.set(`${root}pool/${name}.deb`, deb);
    const text = Buffer.from(packagesFile(suite.packages.filter((each) => flat || isIn(each, architecture, allApart))));
    const path = flat ? 'Packages' : `${component}/binary-${architecture}/Packages`;
    put(path, text, packing === '');
    if (packing === '.gz') put(`${path}.gz`, gzipSync(text));
    if (packing === '.zst') put(`${path}.zst`, zstdCompressSync(text));
  }
  for (const [ending, content] of Object.entries(suite.indexes ?? {})) {
    put(`${component}/binary-${architectures[0]}/Packages${ending}`, content);
  }
  const fields = {
    ...{
      Origin: 'Example',
      Label: 'Example',
      Suite: suite.suite,
      Codename: suite.suite,
      Date: suite.date.toUTCString(),
    },
    ...{ 'Acquire-By-Hash': 'yes', Architectures: architectures.join(' '), Components: component, ...suite.fields },
  };
  const lines = Object.entries(fields).filter(([, value]) => value !== '');
  const release = [...lines.map(([name, value]) => `${name}: ${value}`), 'SHA256:', ...listed, ''].join('\n');
  for (const [name, content] of await signRelease(release, suite)) archive.files.set(`${base}${name}`, content);
}

function isIn({ architecture = 'amd64' }: TestPackage, index: string, allApart: boolean): boolean {
  return architecture === index || (architecture === 'all' && !allApart && index !== 'all');
}

export async function signRelease(
  release: string,
  { keys, signature = 'inline', date }: Pick<TestSuite, 'keys' | 'signature' | 'date'>,
): Promise<readonly (readonly [string, Uint8Array])[]> {
  const plain = Buffer.from(release);
  if (signature === 'none') return [['Release', plain]];
  const signingKeys = keys.map(({ privateKey }) => privateKey);
  if (signature === 'inline') {
    const message = await createCleartextMessage({ text: release });
    return [['InRelease', Buffer.from(await sign({ message, signingKeys, date }))]];
  }
  const message = await createMessage({ binary: plain });
  const detached = await sign({ message, signingKeys, date, detached: true });
  return [
    ['Release', plain],
    ['Release.gpg', Buffer.from(detached as string)],
  ];
}

function packagesFile(packages: readonly TestPackage[]): string {
  return packages.map((each) => `${stanzaOf(each)}Filename: pool/${each.name}.deb\n${sumsOf(each)}\n`).join('\n');
}

/** Without a package, not the hash of anything: nobody downloads it. */
function sumsOf({ deb }: TestPackage): string {
  const hash = deb === undefined ? '0'.repeat(64) : hexOf(digestOf(deb));
  return `Size: ${deb?.length ?? 1}\nSHA256: ${hash}`;
}

function stanzaOf({ name, version, architecture = 'amd64', source, depends }: TestPackage): string {
  const lines = [
    `Package: ${name}`,
    `Version: ${version}`,
    `Architecture: ${architecture}`,
    ...(source === undefined ? [] : [`Source: ${source}`]),
    ...(depends === undefined ? [] : [`Depends: ${depends}`]),
    'Maintainer: Nobody <nobody@example.org>',
    'Description: a test',
  ];
  return `${lines.join('\n')}\n`;
}

/** What dpkg would have written of installed packages. */
export function dpkgStatus(packages: readonly (TestPackage & { readonly status?: string })[]): string {
  return packages
    .map((each) => stanzaOf(each).replace('\n', `\nStatus: ${each.status ?? 'install ok installed'}\n`))
    .join('\n');
}
