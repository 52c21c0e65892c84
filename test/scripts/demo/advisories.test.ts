import { describe, expect, it } from 'vitest';
import { advisoriesFromChangelogs, parseChangelog } from '../../../scripts/demo/advisories.ts';

/** From the changelogs of Debian 12's perl-base and xz-utils, shortened. */
const PERL = `perl (5.36.0-7+deb12u2) bookworm-security; urgency=medium

  * [SECURITY] CVE-2024-56406: Fix heap-buffer-overflow with tr//

 -- Niko Tyni <ntyni@debian.org>  Sat, 12 Apr 2025 00:16:31 +0300

perl (5.36.0-7+deb12u1) bookworm; urgency=medium

  * [SECURITY] CVE-2023-47038: Write past buffer end via illegal
    user-defined Unicode property. (Closes: #1056746)

 -- Niko Tyni <ntyni@debian.org>  Sat, 25 Nov 2023 22:59:54 +0200

perl (5.36.0-7) unstable; urgency=medium

  * Break backuppc (<< 4.4.0-7~) due to Data::Dumper changes in 5.36
    (Closes: #1026270)

 -- Niko Tyni <ntyni@debian.org>  Sun, 08 Jan 2023 23:28:47 +0200
`;

const XZ = `xz-utils (5.4.1-1+deb12u1) bookworm-security; urgency=HIGH

  * Add fix from upstream when the threaded decompresses frees memory too
    early on invalid input (CVE-2025-31115), completing CVE-2025-11111 and
    CVE-2025-22222.
  * Nothing to do with it.

 -- Sebastian Andrzej Siewior <sebastian@breakpoint.cc>  Thu, 03 Apr 2025 21:55:39 +0200

xz-utils (5.4.1-1) unstable; urgency=low

  * CVE-2025-11111

 -- Sebastian Andrzej Siewior <sebastian@breakpoint.cc>  Wed, 02 Apr 2025 21:55:39 +0200
`;

describe('advisories from changelogs', () => {
  it('names what newer versions fix, by source package, with day and severity', () => {
    const perl = { source: 'perl', installedVersion: '5.36.0-7', changelogText: PERL };

    expect(advisoriesFromChangelogs([perl], 'debian:12')).toEqual([
      {
        ID: 'CVE-2023-47038',
        Distro: 'debian:12',
        Package: 'perl',
        Fixed: '5.36.0-7+deb12u1',
        Severity: 'Medium',
        FixedAt: '2023-11-25',
        Description:
          '[SECURITY] CVE-2023-47038: Write past buffer end via illegal user-defined Unicode property. (Closes: #1056746)',
      },
      {
        ID: 'CVE-2024-56406',
        Distro: 'debian:12',
        Package: 'perl',
        Fixed: '5.36.0-7+deb12u2',
        Severity: 'Medium',
        FixedAt: '2025-04-11',
        Description: '[SECURITY] CVE-2024-56406: Fix heap-buffer-overflow with tr//',
      },
    ]);
  });

  it.each([
    ['5.36.0-7+deb12u1', ['CVE-2024-56406']],
    ['5.36.0-7+deb12u2', []],
    ['5.36.0-7~', ['CVE-2023-47038', 'CVE-2024-56406']],
  ])('leaves out what %s has already', (installedVersion, ids) => {
    const advisories = advisoriesFromChangelogs(
      [{ source: 'perl', installedVersion, changelogText: PERL }],
      'debian:12',
    );

    expect(advisories.map(({ ID }) => ID)).toEqual(ids);
  });

  it('takes the oldest entry that names a vulnerability, and each package for itself', () => {
    const packages = [
      { source: 'xz-utils', installedVersion: '5.4.0-1', changelogText: XZ },
      { source: 'xz-fork', installedVersion: '5.4.1-1', changelogText: XZ },
    ];

    const advisories = advisoriesFromChangelogs(packages, 'debian:12');

    expect(advisories.map(({ ID, Package, Fixed, Severity }) => [ID, Package, Fixed, Severity])).toEqual([
      ['CVE-2025-11111', 'xz-fork', '5.4.1-1+deb12u1', 'High'],
      ['CVE-2025-11111', 'xz-utils', '5.4.1-1', 'Low'],
      ['CVE-2025-22222', 'xz-fork', '5.4.1-1+deb12u1', 'High'],
      ['CVE-2025-22222', 'xz-utils', '5.4.1-1+deb12u1', 'High'],
      ['CVE-2025-31115', 'xz-fork', '5.4.1-1+deb12u1', 'High'],
      ['CVE-2025-31115', 'xz-utils', '5.4.1-1+deb12u1', 'High'],
    ]);
  });

  it('reads entries only as far as they are whole', () => {
    expect(parseChangelog('perl (1-1) unstable; urgency=low\n\n  * cut off')).toEqual([]);
  });
});
