import { createSign, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { digestOf } from '../../src/domain/digest.ts';
import { apkReader } from '../../src/domain/packages/apk-files.ts';
import type { PackageState } from '../../src/domain/packages/state.ts';

export interface ApkKey {
  /** As /etc/apk/keys has it. */
  readonly name: string;
  readonly privateKey: KeyObject;
  readonly pem: Buffer;
}

export function createApkKey(name: string): ApkKey {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { name, privateKey, pem: Buffer.from(publicKey.export({ type: 'spki', format: 'pem' })) };
}

export interface ApkPackage {
  readonly name: string;
  readonly version: string;
  /** Default x86_64. */
  readonly architecture?: string;
  readonly origin?: string;
  /** `D:` as written. */
  readonly depends?: string;
  /** `C:` of the file; made up where there is none. */
  readonly checksum?: string;
  /** Bytes of the file. */
  readonly size?: number;
}

/** An APKINDEX.tar.gz as `apk index` and `abuild-sign` make it. */
export async function apkIndexFile(
  packages: readonly ApkPackage[],
  key?: ApkKey,
  type: 'RSA' | 'RSA256' | 'RSA512' = 'RSA',
): Promise<Buffer> {
  const index = gzipSync(
    await tarOf([
      ['DESCRIPTION', Buffer.from('test')],
      ['APKINDEX', Buffer.from(packages.map(indexStanza).join(''))],
    ]),
  );
  return key === undefined ? index : Buffer.concat([await signatureOf(index, key, type), index]);
}

export async function signatureOf(index: Uint8Array, key: ApkKey, type: 'RSA' | 'RSA256' | 'RSA512' = 'RSA') {
  const digest = { RSA: 'sha1', RSA256: 'sha256', RSA512: 'sha512' }[type];
  const signature = createSign(digest).update(index).sign(key.privateKey);
  const tar = await tarOf([[`.SIGN.${type}.${key.name}`, signature]]);
  // abuild-tar --cut: without the two empty blocks at the end.
  return gzipSync(tar.subarray(0, tar.length - 1024));
}

export async function tarOf(files: readonly (readonly [string, Buffer])[]): Promise<Buffer> {
  const tar = pack();
  for (const [name, content] of files) tar.entry({ name, mtime: new Date(0) }, content);
  tar.finalize();
  return Buffer.concat(await Array.fromAsync(tar as AsyncIterable<Buffer>));
}

/** apk takes packages of the same checksum for the same package, wherever they are. */
function checksumOf({ name, version, architecture = 'x86_64', checksum }: ApkPackage): string {
  if (checksum !== undefined) return checksum;
  return `Q1${Buffer.from(digestOf(`${name} ${version} ${architecture}`).slice(7, 47), 'hex').toString('base64')}`;
}

function indexStanza(each: ApkPackage): string {
  const { name, version, architecture = 'x86_64', origin, depends, size = 1000 } = each;
  return [
    `C:${checksumOf(each)}`,
    `P:${name}`,
    `V:${version}`,
    `A:${architecture}`,
    `S:${size}`,
    'I:4096',
    'T:A test',
    'U:https://example.org',
    'L:MIT',
    ...(origin === undefined ? [] : [`o:${origin}`]),
    'm:Nobody <nobody@example.org>',
    't:1700000000',
    ...(depends === undefined ? [] : [`D:${depends}`]),
    '\n',
  ].join('\n');
}

/** What apk would have written of installed packages, with files whose lines look like fields of packages. */
export function apkDatabase(packages: readonly ApkPackage[]): string {
  return packages
    .map((each) => `${indexStanza(each).trimEnd()}\nF:usr/bin\nM:0:0:755\nR:V\na:0:0:755\nZ:${checksumOf(each)}\n\n`)
    .join('');
}

/** The state of an image that has these files. */
export async function apkState(files: Readonly<Record<string, string | Uint8Array>>): Promise<PackageState> {
  const bytes = Object.entries(files).map(([path, content]) => [path, Buffer.from(content)] as const);
  const read = await apkReader.read(new Map(bytes));
  if (read === undefined) throw new Error('nothing is installed');
  return { manager: 'apk', os: { id: 'alpine' }, ...read, digest: digestOf(JSON.stringify(files)) };
}
