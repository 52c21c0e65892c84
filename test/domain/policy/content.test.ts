import { describe, expect, test } from 'vitest';
import { DEFAULT_POLICY } from '../../../src/domain/policy/defaults.ts';
import { inputsCheck } from '../../../src/domain/policy/inputs.ts';
import { layersCheck } from '../../../src/domain/policy/layers.ts';
import { packagesCheck } from '../../../src/domain/policy/packages.ts';
import { platformsCheck } from '../../../src/domain/policy/platforms.ts';
import { sizeCheck } from '../../../src/domain/policy/size.ts';
import { smokeCheck } from '../../../src/domain/policy/smoke.ts';
import { userCheck } from '../../../src/domain/policy/user.ts';
import type { PlatformFacts } from '../../../src/domain/verdict.ts';
import { candidateFacts, debPackage, imageConfig, platformFacts } from '../../support/candidate-facts.ts';

const now = new Date('2026-08-22T12:00:00Z');
const one = (change: Partial<PlatformFacts>) =>
  candidateFacts({ declared: ['linux/amd64'], platforms: [platformFacts('linux/amd64', change)] });

describe('user', () => {
  test.each(['', '0', '0:0', '00', '+0', 'root', 'root:staff', '0:1000', ' '])('"%s" is root', (User) => {
    expect(userCheck.run(one({ config: imageConfig('linux/amd64', { User }) }), DEFAULT_POLICY, now)).toHaveLength(1);
  });

  test.each(['10001', '10001:0', 'nobody', 'app:root'])('"%s" is not root', (User) => {
    expect(userCheck.run(one({ config: imageConfig('linux/amd64', { User }) }), DEFAULT_POLICY, now)).toEqual([]);
  });
});

describe('inputs', () => {
  test.each([
    ['docker.io/library/debian:latest', 'uses the tag latest'],
    [`docker.io/library/debian:latest@sha256:${'a'.repeat(64)}`, 'uses the tag latest'],
    ['docker.io/library/debian', 'has no tag'],
    ['docker.io/library/debian:bookworm-slim', 'without a version number'],
    ['gcr.io/distroless/static:nonroot-amd64', 'without a version number'],
    ['quay.io/x/y:arm64v8', 'without a version number'],
  ])('%s is refused', (input, why) => {
    expect(inputsCheck.run(candidateFacts({ inputs: [input] }), DEFAULT_POLICY, now)[0]?.message).toContain(why);
  });

  test.each([
    'docker.io/library/debian:12-slim',
    'docker.io/library/debian:12',
    'docker.io/library/node:lts-alpine3.20',
    'docker.io/library/eclipse-temurin:jdk17',
    `docker.io/library/debian@sha256:${'a'.repeat(64)}`,
    '127.0.0.1:5000/x:1',
    'golden/debian',
  ])('%s is fine', (input) => {
    expect(inputsCheck.run(candidateFacts({ inputs: [input] }), DEFAULT_POLICY, now)).toEqual([]);
  });
});

describe('platforms', () => {
  test('a declared platform that was not built is named', () => {
    const facts = candidateFacts({ platforms: [platformFacts('linux/amd64')] });

    expect(platformsCheck.run(facts, DEFAULT_POLICY, now)).toMatchObject([{ platform: 'linux/arm64' }]);
  });

  test('a platform whose config is for another one is named', () => {
    const facts = one({ config: imageConfig('linux/arm64') });

    expect(platformsCheck.run(facts, DEFAULT_POLICY, now)[0]?.message).toBe(
      'its config says that it is for linux/arm64',
    );
  });
});

describe('packages', () => {
  const both = (amd64: PlatformFacts['packages'], arm64: PlatformFacts['packages']) =>
    candidateFacts({
      platforms: [platformFacts('linux/amd64', { packages: amd64 }), platformFacts('linux/arm64', { packages: arm64 })],
    });

  test('another source version on one platform is named with both', () => {
    const facts = both([debPackage('perl', '1')], [debPackage('perl', '2')]);

    expect(packagesCheck.run(facts, DEFAULT_POLICY, now)).toMatchObject([
      { package: 'perl', message: 'perl differs by platform: 1 on linux/amd64, 2 on linux/arm64' },
    ]);
  });

  test('a source package that one platform lacks is named', () => {
    const facts = both([debPackage('perl', '1')], []);

    expect(packagesCheck.run(facts, DEFAULT_POLICY, now)[0]?.message).toContain('absent on linux/arm64');
  });

  test('a binary rebuild of one architecture is no difference', () => {
    expect(
      packagesCheck.run(both([debPackage('perl', '1+b3')], [debPackage('perl', '1')]), DEFAULT_POLICY, now),
    ).toEqual([]);
  });

  test('binary packages of other names from the same source are no difference', () => {
    const gcc = (name: string) => debPackage(name, '12.2', { name: 'gcc-12' });

    expect(packagesCheck.run(both([gcc('lib32gcc')], [gcc('libgcc')]), DEFAULT_POLICY, now)).toEqual([]);
  });

  test('a listed per-platform package may differ', () => {
    const facts = both([debPackage('intel-microcode', '1')], []);

    expect(packagesCheck.run(facts, { ...DEFAULT_POLICY, perPlatformPackages: ['intel-microcode'] }, now)).toEqual([]);
  });
});

describe('size', () => {
  const settings = {
    ...DEFAULT_POLICY,
    size: { level: 'block', maxBytes: 50 * 1024 * 1024, growthPercent: 10 },
  } as const;

  test('over the budget is said with both sizes', () => {
    expect(sizeCheck.run(one({ size: 60 * 1024 * 1024 }), settings, now)[0]?.message).toBe(
      'it is 60.0 MiB compressed, the budget is 50.0 MiB',
    );
  });

  test('growth against the release in use is said in percent', () => {
    const facts = { ...one({ size: 24 * 1024 * 1024 }), previousSize: { 'linux/amd64': 20 * 1024 * 1024 } };

    expect(sizeCheck.run(facts, settings, now)[0]?.message).toMatch(/^it grew by 20 % from 20.0 MiB to 24.0 MiB/);
  });

  test('within both budgets, or without a release before, is fine', () => {
    const facts = one({ size: 21 * 1024 * 1024 });

    expect(sizeCheck.run({ ...facts, previousSize: { 'linux/amd64': 20 * 1024 * 1024 } }, settings, now)).toEqual([]);
    expect(sizeCheck.run(facts, settings, now)).toEqual([]);
  });
});

test('more layers than allowed are a finding', () => {
  const settings = { ...DEFAULT_POLICY, layers: { level: 'block', max: 3 } } as const;

  expect(layersCheck.run(one({ layers: 4 }), settings, now)[0]?.message).toBe('it has 4 layers, 3 are allowed');
  expect(layersCheck.run(one({ layers: 3 }), settings, now)).toEqual([]);
});

test('each failed smoke test is a finding of its own', () => {
  const results = [
    { name: 'a', passed: false, message: 'exit code 1, expected 0' },
    { name: 'b', passed: true },
    { name: 'c', passed: false },
  ];

  expect(smokeCheck.run(one({ smoke: { results } }), DEFAULT_POLICY, now).map(({ message }) => message)).toEqual([
    'the test "a" failed: exit code 1, expected 0',
    'the test "c" failed',
  ]);
});
