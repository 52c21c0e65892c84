import type { Severity } from '../../src/domain/fleet/model.ts';
import type { Platform } from '../../src/domain/platform.ts';
import type { CandidateFacts, Finding, ImageConfig, Package, PlatformFacts } from '../../src/domain/verdict.ts';

/** Facts of a clean candidate for both platforms, with what a test changes about them. */
export function candidateFacts(change: Partial<CandidateFacts> = {}): CandidateFacts {
  return {
    image: 'debian',
    declared: ['linux/amd64', 'linux/arm64'],
    platforms: [platformFacts('linux/amd64'), platformFacts('linux/arm64')],
    inputs: ['docker.io/library/debian:12'],
    ...change,
  };
}

export function platformFacts(platform: Platform = 'linux/amd64', change: Partial<PlatformFacts> = {}): PlatformFacts {
  return {
    platform,
    digest: `sha256:${'1'.repeat(64)}`,
    config: imageConfig(platform),
    size: 30_000_000,
    layers: 2,
    packages: [debPackage('tzdata', '2026a-0+deb12u1')],
    findings: [],
    smoke: { results: [{ name: 'has certificates', passed: true }] },
    ...change,
  };
}

export function imageConfig(
  platform: Platform = 'linux/amd64',
  config: ImageConfig['config'] = {},
  history: ImageConfig['history'] = [],
): ImageConfig {
  const [os, architecture] = platform.split('/');
  return { os, architecture, config: { User: '10001', ...config }, history };
}

export function debPackage(name: string, version: string, source: { name?: string; version?: string } = {}): Package {
  return { name, version, type: 'deb', source: source.name ?? name, sourceVersion: source.version ?? version };
}

export function finding(id: string, severity: Severity, change: Partial<Finding> = {}): Finding {
  return {
    id,
    severity,
    source: 'perl',
    packages: ['perl-base'],
    installed: '5.36.0-7+deb12u2',
    fix: { state: 'fixed', versions: ['5.36.0-7+deb12u4'], since: '2026-08-01' },
    ...change,
  };
}
