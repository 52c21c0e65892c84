import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dockerfileFormat, isDockerfilePath } from '../../../src/domain/bump/dockerfile.ts';
import type { ImageChange } from '../../../src/domain/bump/format.ts';
import type { Digest } from '../../../src/domain/digest.ts';

const { bump: bumpDockerfile, findPins: findDockerfilePins } = dockerfileFormat;
const repository = 'registry.example.org/golden/debian';
const digest = (letter: string): Digest => `sha256:${letter.repeat(64)}`;
const forward: ImageChange = { repository, line: '12', version: '12.0.1', digest: digest('b'), channels: ['stable'] };
const backward: ImageChange = { ...forward, version: '12.0.0', digest: digest('a'), back: true };
const text = (content: Uint8Array) => Buffer.from(content).toString('utf8');
const bytes = (content: string) => Buffer.from(content);

const testdata = new URL('testdata/dockerfile/', import.meta.url);
const cases = readdirSync(testdata).map((name) => {
  const read = (file: string) => readFileSync(new URL(`${name}/${file}`, testdata));
  const report = JSON.parse(read('report.json').toString()) as { left: [number, string][]; current: number[] };
  return { name, before: read('before'), after: read('after'), report };
});

describe.each(cases)('$name', ({ before, after, report }) => {
  test('moves the pins and nothing else', () => {
    expect(text(bumpDockerfile(before, forward).content)).toBe(text(after));
  });

  test('keeps every byte of what it does not move', () => {
    expect(Buffer.compare(bumpDockerfile(before, forward).content, after)).toBe(0);
  });

  test('reports what it left alone, and what needs nothing', () => {
    const { left, current } = bumpDockerfile(before, forward);

    expect(left.map(({ line, reason }) => [line, reason])).toEqual(report.left);
    expect(current.map(({ line }) => line)).toEqual(report.current);
  });

  test('is done after the first time', () => {
    const again = bumpDockerfile(after, forward);

    expect(Buffer.compare(again.content, after)).toBe(0);
    expect(again.pins).toEqual([]);
  });

  test('can be taken back to the same bytes', () => {
    if (report.left.length > 0 || report.current.length > 0) return;

    expect(Buffer.compare(bumpDockerfile(after, backward).content, before)).toBe(0);
  });
});

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

describe('laws', () => {
  const pin = fc.constantFrom(
    `:12.0.0@${digest('a')}`,
    ':12.0.0',
    `@${digest('a')}`,
    `:12@${digest('a')}`,
    `:stable@${digest('a')}`,
  );
  const filler = fc.constantFrom(
    'RUN echo "golden/debian"',
    `# FROM ${repository}:12.0.0`,
    '',
    'ENV A=b\tC="d e"',
    'RUN a \\\n  # x\n\n  b',
    'LABEL ünï="cödé 🐧"',
    'FROM alpine:3.20 AS other',
    'COPY --from=0 /a /b',
    `RUN <<EOF\nFROM ${repository}:12.0.0\nEOF`,
    '   \t',
    'not an instruction at all',
  );
  const use = fc
    .tuple(
      pin,
      fc.constantFrom(
        'FROM #',
        'from\t#  AS  x ',
        'COPY --from=# /a /b',
        'RUN --mount=from=#,target=/x true',
        'FROM \\\n  #',
      ),
    )
    .map(([each, form]) => form.replace('#', repository + each));
  const file = fc
    .tuple(
      fc.array(fc.oneof(filler, use), { maxLength: 12 }),
      fc.constantFrom('\n', '\r\n'),
      fc.constantFrom('', '\uFEFF'),
    )
    .map(([lines, newline, mark]) => bytes(`${mark}FROM scratch\n${lines.join('\n')}\n`.replaceAll('\n', newline)));

  test('a bump twice is a bump once', () => {
    fc.assert(
      fc.property(file, (content) => {
        const once = bumpDockerfile(content, forward).content;
        return Buffer.compare(bumpDockerfile(once, forward).content, once) === 0;
      }),
    );
  });

  test('a bump there and back gives the same bytes', () => {
    fc.assert(
      fc.property(file, (content) => {
        const there = bumpDockerfile(content, forward).content;
        return Buffer.compare(bumpDockerfile(there, backward).content, content) === 0;
      }),
    );
  });

  test('nothing outside the pins moves', () => {
    const masked = (content: Uint8Array) => text(content).replaceAll(/:12\.0\.[01]|sha256:(?:a{64}|b{64})/g, '#');
    fc.assert(
      fc.property(file, (content) => {
        const { content: bumped, pins } = bumpDockerfile(content, forward);
        const changed = text(bumped)
          .split('\n')
          .filter((line, index) => line !== text(content).split('\n')[index]);
        return masked(bumped) === masked(content) && changed.length === pins.length;
      }),
    );
  });

  test('no bytes make it fail', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
        const content = Buffer.concat([bytes(`FROM ${repository}:12.0.0\n`), noise]);
        const { content: bumped } = bumpDockerfile(content, forward);
        return bumped.length === content.length;
      }),
    );
  });
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
