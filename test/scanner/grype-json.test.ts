import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { groupMatches, type Match } from '../../src/scanner/grype-findings.ts';
import { parseDatabase, parseReport } from '../../src/scanner/grype-json.ts';

const report = await readFile(join(import.meta.dirname, '..', 'fixtures', 'scanner', 'grype.json'), 'utf8');

describe('a grype report', () => {
  it('gives one finding per vulnerability and source package', () => {
    const { findings, scanner, database } = parseReport(report);

    expect(findings).toEqual([
      {
        id: 'CVE-2025-0001',
        severity: 'high',
        source: 'curl',
        packages: ['curl', 'libcurl4'],
        installed: '7.88.1-10+deb12u5',
        fix: { state: 'fixed', versions: ['7.88.1-10+deb12u9'], since: '2025-02-03' },
        url: 'https://security-tracker.debian.org/tracker/CVE-2025-0001',
      },
      {
        id: 'CVE-2025-0002',
        severity: 'critical',
        source: 'curl',
        packages: ['curl', 'libcurl4'],
        installed: '7.88.1-10+deb12u5',
        fix: { state: 'fixed', versions: ['7.88.1-10+deb12u8'], since: '2025-01-03' },
        url: 'https://security-tracker.debian.org/tracker/CVE-2025-0002',
      },
      {
        id: 'CVE-2025-0002',
        severity: 'critical',
        source: 'perl',
        packages: ['perl-base'],
        installed: '5.36.0-7',
        fix: { state: 'not-fixed', versions: [] },
        url: 'https://security-tracker.debian.org/tracker/CVE-2025-0002',
      },
    ]);
    expect(scanner).toEqual({ name: 'grype', version: '0.116.0' });
    expect(database).toEqual({ id: `sha256:${'ab'.repeat(32)}`, built: '2026-11-23T08:22:33Z' });
  });

  it('is refused when it is something else', () => {
    expect(() => parseReport('{"matches":[]}')).toThrow(expect.objectContaining({ code: 'protocol' }));
    expect(() => parseReport('half {')).toThrow(expect.objectContaining({ code: 'protocol' }));
  });
});

describe('findings', () => {
  it('take the worst severity and the earliest fix of their matches; words they do not know are unknown', () => {
    const [finding] = groupMatches([
      match('Low', { state: 'not-fixed' }),
      match('High', { state: 'fixed', versions: ['2'], available: [{ date: '2025-02-02' }, { date: '2025-02-01' }] }),
      match('Apocalyptic', { state: 'mystery' }),
    ]);

    expect(finding).toMatchObject({ severity: 'high', fix: { state: 'fixed', versions: ['2'], since: '2025-02-01' } });
    expect(groupMatches([match('Apocalyptic', undefined)])[0]).toMatchObject({
      severity: 'unknown',
      fix: { state: 'unknown', versions: [] },
    });
  });
});

describe('the id of a database', () => {
  const status = (path: string, from = 'manual import') =>
    parseDatabase(JSON.stringify({ schemaVersion: 'v6.1.9', from, built: '2025-01-01T00:00:00Z', path, valid: true }))
      .id;

  it.each([
    ['/d/xxh64-00ff/6/vulnerability.db', undefined, 'xxh64:00ff'],
    [
      '/d/grype/6/vulnerability.db',
      `https://a.example/db.tar.zst?checksum=sha256%3A${'1'.repeat(64)}`,
      `sha256:${'1'.repeat(64)}`,
    ],
    ['/d/grype/6/vulnerability.db', undefined, 'v6.1.9 built 2025-01-01T00:00:00Z'],
  ])('is its checksum, or when it was built (%s)', (path, from, id) => {
    expect(status(path, from)).toBe(id);
  });
});

function match(severity: string, fix: Match['vulnerability']['fix']): Match {
  return { vulnerability: { id: 'CVE-1', severity, fix }, artifact: { name: 'a', version: '1', upstreams: [] } };
}
