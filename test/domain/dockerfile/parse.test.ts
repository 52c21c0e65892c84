// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are variables of Dockerfiles
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { baseOf, parseDockerfile } from '../../../src/domain/dockerfile/parse.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

/** `instruction resolved @ text that an edit would replace`. */
function found(text: string): string[] {
  return parseDockerfile(text).references.map(({ instruction, resolved, unknown, range, viaArg }) => {
    const edited = text.slice(range.start, range.end);
    return `${instruction} ${resolved ?? `? ${unknown}`} @ ${viaArg ? `${viaArg}: ` : ''}${edited}`;
  });
}

describe('references', () => {
  const cases: [name: string, text: string, expected: string[]][] = [
    ['FROM', 'FROM debian:12', ['FROM debian:12 @ debian:12']],
    ['small letters', 'from debian:12 as x', ['FROM debian:12 @ debian:12']],
    ['a digest', `FROM debian:12@${DIGEST}`, [`FROM debian:12@${DIGEST} @ debian:12@${DIGEST}`]],
    ['a platform flag', 'FROM --platform=$BUILDPLATFORM golang:1.22 AS b', ['FROM golang:1.22 @ golang:1.22']],
    ['scratch is none', 'FROM scratch', []],
    ['a stage is none', 'FROM a:1 AS Build\nFROM build\nCOPY --from=BUILD x y', ['FROM a:1 @ a:1']],
    ['a stage number is none', 'FROM a:1\nFROM b:1\nCOPY --from=0 x y', ['FROM a:1 @ a:1', 'FROM b:1 @ b:1']],
    ['COPY --from', 'FROM a:1\nCOPY --chown=1 --from=b:1 x y', ['FROM a:1 @ a:1', 'COPY b:1 @ b:1']],
    [
      'COPY --from a later stage',
      'FROM a:1\nCOPY --from=late x y\nFROM b:1 AS late',
      ['FROM a:1 @ a:1', 'FROM b:1 @ b:1'],
    ],
    [
      'several mounts of one RUN',
      'FROM a:1\nRUN --mount=type=bind,from=b:1,target=/x --mount=from=c:1,target=/y cat --mount=from=no:1',
      ['FROM a:1 @ a:1', 'RUN b:1 @ b:1', 'RUN c:1 @ c:1'],
    ],
    ['a quoted mount', 'FROM a:1\nRUN --mount="type=bind","from=b:1" x', ['FROM a:1 @ a:1', 'RUN b:1 @ b:1']],
    ['a quoted image', 'FROM "a:1"', ['FROM a:1 @ a:1']],
    ['an ARG default', 'ARG BASE=debian:12\nFROM ${BASE}', ['FROM debian:12 @ BASE: debian:12']],
    ['a quoted ARG default', 'ARG BASE="debian:12"\nFROM $BASE', ['FROM debian:12 @ BASE: debian:12']],
    ['several names in one ARG', 'ARG X=1 BASE=debian:12\nFROM $BASE', ['FROM debian:12 @ BASE: debian:12']],
    ['an alternative that is used', 'FROM ${BASE:-debian:12}', ['FROM debian:12 @ debian:12']],
    ['an alternative that is not', 'ARG BASE=a:1\nFROM ${BASE:-b:1}', ['FROM a:1 @ BASE: a:1']],
    ['an alternative for an empty value', 'ARG BASE=\nFROM ${BASE:-b:1}', ['FROM b:1 @ b:1']],
    ['a value in place of another', 'ARG DEBUG=1\nFROM a:1${DEBUG:+-debug}', ['FROM a:1-debug @ a:1${DEBUG:+-debug}']],
    ['an ARG made of ARGs', 'ARG R=x.example\nARG B=$R/a:1\nFROM $B', ['FROM x.example/a:1 @ $B']],
    ['parts', 'ARG V=12\nFROM debian:${V}-slim', ['FROM debian:12-slim @ debian:${V}-slim']],
    [
      'an ARG of a stage does not reach FROM',
      'FROM a:1\nARG B=b:1\nFROM $B',
      ['FROM a:1 @ a:1', 'FROM ? B is not known there; only an ARG before the first FROM with a default is @ $B'],
    ],
    ['an ARG without default', 'ARG B\nFROM $B', ['FROM ? the ARG B has no default @ $B']],
    [
      'a heredoc',
      'FROM a:1\nRUN <<EOF cat\nFROM b:1\nCOPY --from=c:1 x y\nEOF\nCOPY --from=d:1 x y',
      ['FROM a:1 @ a:1', 'COPY d:1 @ d:1'],
    ],
    [
      'two heredocs',
      'FROM a:1\nRUN <<A <<-"B"\nFROM b:1\nA\nFROM c:1\n\tB\nFROM d:1',
      ['FROM a:1 @ a:1', 'FROM d:1 @ d:1'],
    ],
    [
      'continued lines with comments and empty ones',
      'FROM \\\n  # why\n\n  a:1 \\\n AS x\nRUN \\\n# no\n --mount=from=b:1 true',
      ['FROM a:1 @ a:1', 'RUN b:1 @ b:1'],
    ],
    ['CRLF', 'ARG B=a:1\r\nFROM $B \\\r\n AS x\r\nCOPY --from=b:1 x y\r\n', ['FROM a:1 @ B: a:1', 'COPY b:1 @ b:1']],
    ['another escape character', '# escape=`\nFROM `\n a:1\nRUN c:\\ \nFROM b:1', ['FROM a:1 @ a:1', 'FROM b:1 @ b:1']],
    ['a byte order mark and a #! line', '\uFEFF#!/usr/bin/env x\n# escape=`\nFROM `\n a:1', ['FROM a:1 @ a:1']],
    ['comments', '# FROM a:1\nFROM b:1 # not a comment', ['FROM b:1 @ b:1']],
  ];

  test.each(cases)('%s', (_, text, expected) => {
    expect(found(text)).toEqual(expected);
  });

  test('variables in COPY --from are not possible in BuildKit', () => {
    const [, reference] = parseDockerfile('FROM a:1\nCOPY --from=$X a b').references;

    expect(reference).toMatchObject({ written: '$X', unknown: expect.stringContaining('stage of its own') });
  });

  test('an ONBUILD trigger is marked', () => {
    const { references } = parseDockerfile('FROM a:1\nONBUILD COPY --from=b:1 x y');

    expect(references.map(({ onbuild }) => onbuild)).toEqual([false, true]);
  });

  test('line and column count from 1', () => {
    const [reference] = parseDockerfile('# x\n\n  FROM   a:1').references;

    expect(reference?.range).toMatchObject({ line: 3, column: 10 });
  });

  test('pieces tell where each part of a composed reference stands', () => {
    const text = 'ARG V="12"\nFROM debian:${V}-slim';
    const [reference] = parseDockerfile(text).references;

    expect(reference?.pieces.map(({ start, end, arg }) => [text.slice(start, end), arg])).toEqual([
      ['debian:', undefined],
      ['12', 'V'],
      ['-slim', undefined],
    ]);
  });
});

describe('the base', () => {
  const text = 'FROM a:1 AS one\nFROM one AS two\nFROM scratch AS three\nFROM two';

  test('is found through stages', () => {
    expect(parseDockerfile(text).finalBase).toBe('a:1');
  });

  test('is that of the target', () => {
    const parsed = parseDockerfile(text);

    expect(baseOf(parsed, 'three')).toBe('scratch');
    expect(baseOf(parsed, 'TWO')).toMatchObject({ resolved: 'a:1' });
    expect(baseOf(parsed, 'four')).toBeUndefined();
  });

  test('is absent for scratch and for a file without FROM', () => {
    expect(parseDockerfile('FROM scratch').finalBase).toBeUndefined();
    expect(parseDockerfile('').finalBase).toBeUndefined();
  });

  test('a stage named like its own image is no ring', () => {
    expect(parseDockerfile('FROM debian AS debian').finalBase).toBe('debian');
  });
});

describe('laws', () => {
  const name = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/);
  const tag = fc.stringMatching(/^[a-z0-9]{1,6}$/);

  test('the text at a range of one piece is the reference', () => {
    const line = fc.oneof(
      fc.tuple(name, tag).map(([n, t]) => `FROM ${n}:${t}`),
      fc.tuple(name, tag).map(([n, t]) => `COPY --from=${n}:${t} a b`),
      fc.tuple(name, tag).map(([n, t]) => `RUN --mount=type=bind,from=${n}:${t},target=/x \\\n  true`),
      fc.constant('# a comment'),
      fc.constant('RUN <<E\nFROM x:1\nE'),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), fc.constantFrom('\n', '\r\n'), (lines, end) => {
        const text = ['FROM first:1', ...lines].join('\n').replaceAll('\n', end);
        const { references } = parseDockerfile(text);

        expect(references).toHaveLength(1 + lines.filter((each) => /^(FROM|COPY|RUN --mount)/.test(each)).length);
        for (const { range, resolved } of references) expect(text.slice(range.start, range.end)).toBe(resolved);
      }),
    );
  });

  test('no text makes it fail', () => {
    const part = fc.constantFrom(
      'FROM',
      'ARG ',
      'COPY --from=',
      'RUN --mount=',
      '${',
      '}',
      '$X',
      '\\\n',
      '\n',
      '"',
      "'",
      '<<EOF',
      ' ',
      ',',
      'from=',
      '#',
      'a:1',
      '`',
      '\r',
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 30 }), (parts) => void parseDockerfile(parts.join(''))),
      { numRuns: 1000 },
    );
  });
});
