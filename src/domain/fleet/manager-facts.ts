import type { PackageManager } from './model.ts';
import { AnyPackage, AptPackage } from './packages.ts';

/** What definitions have to know of a package manager; how it is called is in domain/dockerfile. */
export interface ManagerFacts {
  /** The key of its packages in a set. */
  readonly set: 'apt' | 'apk' | 'dnf';
  readonly packageName: typeof AptPackage;
  /** Where local certificates lie; each ends with `.crt`. */
  readonly trustStore: string;
  /** Files and folders that it reads, so that they have to be there before it runs. */
  readonly settings: readonly string[];
  /** Whether it can tell updates of security from others. */
  readonly security: boolean;
  /** Names of the keys that its archives are signed with. */
  readonly key: { readonly pattern: RegExp; readonly said: string };
  /** What holds a locale; `undefined`: its C library has no others than C. */
  readonly localePackage: (locale: string) => string | undefined;
}

const DNF: ManagerFacts = {
  set: 'dnf',
  packageName: AnyPackage,
  trustStore: '/etc/pki/ca-trust/source/anchors',
  settings: ['/etc/yum.repos.d/', '/etc/dnf/', '/etc/yum/', '/etc/yum.conf', '/etc/pki/rpm-gpg/'],
  security: true,
  key: { pattern: /\.(asc|gpg)$/, said: 'must be a keyring; its name ends with .asc (text) or .gpg (binary)' },
  localePackage: (locale) => `glibc-langpack-${locale.replace(/_.*$/, '')}`,
};

export const MANAGERS: Readonly<Record<PackageManager, ManagerFacts>> = {
  apt: {
    set: 'apt',
    packageName: AptPackage,
    trustStore: '/usr/local/share/ca-certificates',
    settings: ['/etc/apt/'],
    security: true,
    key: DNF.key,
    localePackage: () => 'locales',
  },
  apk: {
    set: 'apk',
    packageName: AnyPackage,
    trustStore: '/usr/local/share/ca-certificates',
    settings: ['/etc/apk/'],
    // Its indexes do not say what an update is for.
    security: false,
    key: {
      pattern: /\.rsa\.pub$/,
      said: 'must be a public key; apk knows it by its whole name, which ends with .rsa.pub',
    },
    localePackage: () => undefined,
  },
  dnf: DNF,
  // It reads no advisories (microdnf 3.10, dnf/plugins/upgrade).
  microdnf: { ...DNF, security: false },
};

/** The place in the trust store of a certificate; tools take only names in .crt. */
export function trustStorePath(source: string, manager: PackageManager): string {
  const name = source
    .split('/')
    .at(-1)!
    .replace(/\.(crt|pem|cer)$/i, '');
  return `${MANAGERS[manager].trustStore}/${name}.crt`;
}

export function isSetting(path: string, manager: PackageManager): boolean {
  return MANAGERS[manager].settings.some(
    (setting) => path === setting || (setting.endsWith('/') && path.startsWith(setting)),
  );
}

/** The C locales are part of the C library; others have to be there, or be compiled. */
export function isOtherLocale(locale: string | undefined): locale is string {
  return locale !== undefined && !['C', 'POSIX', 'C.UTF-8'].includes(locale);
}
