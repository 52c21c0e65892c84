import { nativeApkArchitecture, parseApkInstalled } from './apk-installed.ts';
import type { ImageFiles, PackageReader, ReadPackages } from './reader.ts';

/** The second one in images whose /lib is a link. */
const DATABASES = ['/lib/apk/db/installed', '/usr/lib/apk/db/installed'];
export const APK_ARCH = '/etc/apk/arch';
export const APK_WORLD = '/etc/apk/world';

const text = (content: Uint8Array | undefined) => new TextDecoder().decode(content);

/** What apk leaves in an image, 2.14 and 3 alike. */
export const apkReader: PackageReader = {
  manager: 'apk',
  wanted: (path) => DATABASES.includes(path) || isKept(path),
  read(files): ReadPackages | undefined {
    const installed = parseApkInstalled(DATABASES.map((path) => text(files.get(path))).join('\n\n'));
    if (installed.length === 0) return undefined;
    const [named] = apkArchitectures(files.get(APK_ARCH));
    return { architecture: named ?? nativeApkArchitecture(installed), installed, files: keptFiles(files) };
  },
};

/** Those that /etc/apk/arch lists, one a line; the first is that of the archives. */
export function apkArchitectures(file: Uint8Array | undefined): readonly string[] {
  return text(file).split(/\s+/).filter(Boolean);
}

function isKept(path: string): boolean {
  return path === APK_ARCH || path === APK_WORLD || isApkRepositories(path) || isApkKey(path);
}

export function isApkRepositories(path: string): boolean {
  return path === '/etc/apk/repositories' || /^\/(etc|(usr\/)?lib)\/apk\/repositories\.d\/[^/]+\.list$/.test(path);
}

/** `/etc/apk/keys/alpine-devel@lists.alpinelinux.org-6165ee59.rsa.pub`: signatures name the file. */
export function isApkKey(path: string): boolean {
  return /^\/(etc|(usr\/)?lib)\/apk\/keys\/[^/]+$/.test(path);
}

function keptFiles(files: ImageFiles): Readonly<Record<string, Uint8Array>> {
  return Object.fromEntries([...files].filter(([path]) => isKept(path)));
}
