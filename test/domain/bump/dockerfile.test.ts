import { describe, expect, test } from 'vitest';
import { dockerfileFormat, isDockerfilePath } from '../../../src/domain/bump/dockerfile.ts';
import type { ImageChange } from '../../../src/domain/bump/format.ts';
import type { Digest } from '../../../src/domain/digest.ts';

const { bump: bumpDockerfile, findPins: findDockerfilePins } = dockerfileFormat;
const repository = 'registry.example.org/golden/debian';
const digest = (letter: string): Digest => `sha256:${letter.repeat(64)}`;
const forward: ImageChange = { repository, line: '12', version: '12.0.1', digest: digest('b'), channels: ['stable'] };
const text = (content: Uint8Array) => Buffer.from(content).toString('utf8');
const bytes = (content: string) => Buffer.from(content);

test('each place is told once, with the line it stands on and both versions', () => {
  const content = bytes(
    `ARG V=12.0.0\nFROM ${repository}:$V AS a\nFROM ${repository}:$V\nFROM ${repository}:12@${digest('a')}\n`,
  );

  expect(bumpDockerfile(content, forward).pins).toEqual([
    { line: 1, from: { tag: '12.0.0' }, to: { tag: '12.0.1' } },
    { line: 4, from: { tag: '12', digest: digest('a') }, to: { tag: '12', digest: digest('b') } },
  ]);
});

test('a narrow channel keeps its precision', () => {
  const content = bytes(`FROM ${repository}:12.0\nFROM ${repository}:12.0@${digest('a')}\n`);
  const { content: moved } = bumpDockerfile(content, { ...forward, version: '12.1.0' });

  expect(text(moved)).toBe(`FROM ${repository}:12.1\nFROM ${repository}:12.1@${digest('b')}\n`);
});

test('a line of two parts moves within itself', () => {
  const change = { ...forward, line: '3.11', version: '3.11.4' };
  const content = bytes(`FROM ${repository}:3.11.2\nFROM ${repository}:3.12.0\nFROM ${repository}:3@${digest('a')}\n`);
  const { content: moved, left } = bumpDockerfile(content, change);

  expect(text(moved)).toContain(`:3.11.4\nFROM ${repository}:3.12.0\n`);
  expect(left.map(({ reason }) => reason)).toEqual(['other-line', 'other-line']);
});

describe('what is known of a digest decides about a pin by digest alone:', () => {
  const content = bytes(`FROM ${repository}@${digest('a')}\n`);
  const bump = (known: ImageChange['known'], change: Partial<ImageChange> = {}) =>
    bumpDockerfile(content, { ...forward, known: known!, ...change });

  test('an older release of the line moves', () => {
    expect(bump(new Map([[digest('a'), { version: '12.0.0' }]])).pins).toHaveLength(1);
  });

  test.each([
    ['11.4.0', 'other-line'],
    ['12.9.0', 'ahead'],
  ])('%s stays', (version, reason) => {
    expect(bump(new Map([[digest('a'), { version }]])).left).toMatchObject([{ reason }]);
  });

  test('one that nobody knows stays', () => {
    expect(bump(new Map()).left).toMatchObject([{ reason: 'unknown-digest' }]);
  });

  test('one of a platform moves to the same platform', () => {
    const known = new Map([[digest('a'), { version: '12.0.0', platform: 'linux/arm64' as const }]]);
    const platforms = { 'linux/arm64': digest('c') };

    expect(text(bump(known, { platforms }).content)).toBe(`FROM ${repository}@${digest('c')}\n`);
    expect(bump(known).left).toMatchObject([{ reason: 'unsafe' }]);
  });

  test('one of a platform of the release itself needs nothing', () => {
    expect(bump(new Map(), { platforms: { 'linux/amd64': digest('a') } }).current).toHaveLength(1);
  });
});

test('pins are found with line, column and what they come to', () => {
  const content = bytes(`ARG V=12.0.0\nFROM alpine:3.20\nFROM --platform=linux/amd64 ${repository}:$V\n`);

  expect(findDockerfilePins(content, [repository])).toEqual([
    {
      line: 3,
      column: 29,
      written: `${repository}:$V`,
      reference: { registry: 'registry.example.org', repository: 'golden/debian', tag: '12.0.0' },
    },
  ]);
});

test.each([
  ['Dockerfile', true],
  ['a/b/Dockerfile.dev', true],
  ['dev.Dockerfile', true],
  ['Containerfile', true],
  ['x/containerfile', true],
  ['Dockerfile.dockerignore', false],
  ['docs/mydockerfile', false],
  ['Dockerfile/readme.md', false],
])('%s is read as a Dockerfile: %s', (path, expected) => {
  expect(isDockerfilePath(path)).toBe(expected);
});

test('a pin on a channel that is elsewhere is told nothing but the truth', () => {
  const { pins, left } = bumpDockerfile(bytes(`FROM ${repository}:lts@${digest('a')}\n`), {
    ...forward,
    elsewhere: ['lts'],
  });

  expect(pins).toEqual([]);
  expect(left).toMatchObject([
    { reason: 'elsewhere', message: 'lts is not at 12.0.1; a downstream with "channel: lts" follows that channel' },
  ]);
});
