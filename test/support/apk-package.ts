import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { type ApkKey, type ApkPackage, apkIndexFile, signatureOf } from './apk-archive.ts';
import type { TestArchive } from './apt-archive.ts';

/** What a package puts into an image: text by path, without a slash at the front. */
export interface FilledApk extends ApkPackage {
  readonly files: Readonly<Record<string, string>>;
  /** Shell that apk keeps in its database, and runs. */
  readonly afterInstall?: string;
}

/** Puts packages and their signed index under a path of an archive, as `apk` of version 2 takes them. */
export async function publishApks(
  archive: Pick<TestArchive, 'files'>,
  path: string,
  packages: readonly FilledApk[],
  key: ApkKey,
): Promise<void> {
  const listed: ApkPackage[] = [];
  for (const each of packages) {
    const { bytes, checksum } = await apkFile(each, key);
    archive.files.set(`${path}x86_64/${each.name}-${each.version}.apk`, bytes);
    listed.push({ ...each, checksum, size: bytes.length });
  }
  archive.files.set(`${path}x86_64/APKINDEX.tar.gz`, await apkIndexFile(listed, key, 'RSA256'));
}

/** Three packed tars one after the other: signature, control, data (apk-v2(5)). */
async function apkFile(each: FilledApk, key: ApkKey): Promise<{ bytes: Buffer; checksum: string }> {
  const { name, version, architecture = 'x86_64', depends, files, afterInstall } = each;
  const data = gzipSync(await dataOf(files));
  const info = [
    `pkgname = ${name}`,
    `pkgver = ${version}`,
    'pkgdesc = A test',
    'url = https://example.org',
    'builddate = 1700000000',
    'size = 4096',
    `arch = ${architecture}`,
    'license = MIT',
    ...(depends === undefined ? [] : depends.split(' ').map((each) => `depend = ${each}`)),
    `datahash = ${createHash('sha256').update(data).digest('hex')}`,
    '',
  ].join('\n');
  const entries: [string, string, number][] = [['.PKGINFO', info, 0o644]];
  if (afterInstall !== undefined) entries.push(['.post-install', `#!/bin/sh\n${afterInstall}\n`, 0o755]);
  const control = gzipSync(await controlOf(entries));
  const checksum = `Q1${createHash('sha1').update(control).digest('base64')}`;
  return { bytes: Buffer.concat([await signatureOf(control, key, 'RSA'), control, data]), checksum };
}

async function controlOf(entries: readonly [string, string, number][]): Promise<Buffer> {
  const tar = pack();
  for (const [name, text, mode] of entries) tar.entry({ name, mode, mtime: MADE }, text);
  tar.finalize();
  const bytes = Buffer.concat(await Array.fromAsync(tar as AsyncIterable<Buffer>));
  // Without its end: the data follows.
  return bytes.subarray(0, bytes.length - 1024);
}

async function dataOf(files: FilledApk['files']): Promise<Buffer> {
  const tar = pack();
  const folders = Object.keys(files).flatMap((path) => {
    const parts = path.split('/').slice(0, -1);
    return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
  });
  for (const name of new Set(folders)) tar.entry({ name, type: 'directory', mode: 0o755, mtime: MADE });
  for (const [name, text] of Object.entries(files)) {
    const pax = { 'APK-TOOLS.checksum.SHA1': createHash('sha1').update(text).digest('hex') };
    tar.entry({ name, mode: 0o644, mtime: MADE, pax }, text);
  }
  tar.finalize();
  return Buffer.concat(await Array.fromAsync(tar as AsyncIterable<Buffer>));
}

const MADE = new Date(1_700_000_000_000);
