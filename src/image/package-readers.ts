import { apkReader } from '../domain/packages/apk-files.ts';
import { aptReader } from '../domain/packages/deb-files.ts';
import type { PackageReader } from '../domain/packages/reader.ts';
import { rpmReader } from './rpm-reader.ts';

/** The package managers whose images are understood; the first that has something installed is the image's. */
export const PACKAGE_READERS: readonly PackageReader[] = [aptReader, apkReader, rpmReader];
