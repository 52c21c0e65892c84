import type { PackageManager } from '../fleet/model.ts';
import type { Installer } from './installer.ts';
import { apk } from './render-apk.ts';
import { apt } from './render-apt.ts';
import { dnf, microdnf } from './render-dnf.ts';

export const INSTALLERS: Readonly<Record<PackageManager, Installer>> = { apt, apk, dnf, microdnf };
