import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { dockerfileFormat } from '../../../src/domain/bump/dockerfile.ts';
import { createPinRules, parseRepositoryFile } from '../../../src/domain/bump/rules.ts';
import { formatMistake } from '../../../src/domain/errors.ts';

const repository = 'ghcr.io/acme/golden/debian';
const settings = (text: string) => {
  const read = parseRepositoryFile(text);
  if ('mistakes' in read) throw new Error(read.mistakes.map(formatMistake).join('\n'));
  return read.settings;
};

describe('.ingot.yaml', () => {
  test('may be empty', () => {
    expect(createPinRules([settings('')]).policyOf('Dockerfile', repository)).toEqual({});
  });

  test('is told all of its mistakes, with line and remedy', () => {
    const read = parseRepositoryFile(
      [
        'update: newest',
        'flaot: pin',
        'adopt: yes please',
        'rules:',
        '  - { files: [], update: hold }',
        'patterns:',
        '  - { files: ["*.conf"], pattern: "(?<=x)(?P<tag>.*)" }',
        '  - { files: ["*.conf"], pattern: "(?P<tag>.*)" }',
        '  - { files: ["*.conf"], pattern: "(?P<version>.*)", image: x.example/y }',
      ].join('\n'),
    );

    expect('mistakes' in read && read.mistakes.map(formatMistake)).toEqual([
      expect.stringMatching(/^\.ingot\.yaml:1:1: update cannot be "newest"; write patch, minor/),
      expect.stringMatching(/^\.ingot\.yaml:3:1: adopt cannot be "yes please"/),
      expect.stringMatching(/^\.ingot\.yaml:5:\d+: .*files is empty/),
      expect.stringMatching(/^\.ingot\.yaml:7:\d+: .*is no RE2 pattern/),
      expect.stringMatching(/^\.ingot\.yaml:8:\d+: .*says no image/),
      expect.stringMatching(/^\.ingot\.yaml:9:\d+: .*has a group "version"/),
      '.ingot.yaml:2:1: unknown key "flaot"; did you mean "float"?',
    ]);
  });

  test('reads as the documentation writes it', () => {
    const page = readFileSync(new URL('../../../docs/bump-policy.md', import.meta.url), 'utf8');
    const example = /```yaml\n(# \.ingot\.yaml\n[\s\S]*?)```/.exec(page)![1]!;

    expect(settings(example)).toMatchObject({ policy: { update: 'minor', float: 'keep', adopt: 'off' } });
    expect(settings(example).rules).toHaveLength(2);
  });

  test('stands over the fleet, and a rule over what is said for all', () => {
    const rules = createPinRules([
      settings('update: patch\nfloat: pin'),
      settings('update: major\nrules: [{ files: [deploy], images: [debian], update: "~12.4" }]'),
    ]);

    expect(rules.policyOf('deploy/a/Dockerfile', repository)).toEqual({ update: { range: '~12.4' }, float: 'pin' });
    expect(rules.policyOf('deploy/Dockerfile', 'ghcr.io/acme/golden/python')).toEqual({
      update: 'major',
      float: 'pin',
    });
    expect(rules.policyOf('Dockerfile', repository)).toEqual({ update: 'major', float: 'pin' });
  });

  test('names files to leave out, to search for marks and for patterns', () => {
    const rules = createPinRules([
      settings(
        [
          'ignore: ["vendor/**"]',
          'marked: ["src/*.py"]',
          `patterns: [{ files: ["**/*.conf"], pattern: 'base=(?P<image>\\S+?):(?P<tag>\\S+)' }]`,
        ].join('\n'),
      ),
    ]);

    expect(rules.formatFor('vendor/x/Dockerfile')).toBeUndefined();
    expect(rules.formatFor('Dockerfile')).toBe(dockerfileFormat);
    expect(rules.formatFor('src/a.py')?.id).toBe('marked');
    expect(rules.formatFor('src/b/a.py')).toBeUndefined();
    expect(rules.formatFor('etc/a.conf')?.id).toBe('marked+pattern');
    const text = Buffer.from(`base=${repository}:12.0.0\n`);
    expect(rules.formatFor('etc/a.conf')!.findPins(text, [repository])).toHaveLength(1);
  });
});

describe('a comment beside a pin', () => {
  const change = { repository, line: '12', version: '12.4.0', digest: `sha256:${'d'.repeat(64)}` } as const;
  const bump = (text: string) => dockerfileFormat.bump(Buffer.from(text), change);

  test.each([
    ['# ingot: hold', 'held'],
    ['#ingot:hold', 'held'],
    ['# ingot: ~12.5', 'outside-policy'],
    ['# ingot: digest-only', 'outside-policy'],
    ['# ingot: hodl', 'mistake'],
    ['# ingot: hold, minor', undefined],
    ['# ingot: hold\n\n', undefined],
    ['# ingot: hold\nRUN true', undefined],
  ])('%s', (comment, reason) => {
    expect(bump(`FROM scratch\n${comment}\nFROM ${repository}:12.0.0\n`).left[0]?.reason).toBe(reason);
  });

  test('above the ARG counts as well as above the FROM', () => {
    expect(bump(`# ingot: hold\nARG V=12.0.0\nFROM ${repository}:$V\n`).left).toMatchObject([{ reason: 'held' }]);
    expect(bump(`ARG V=12.0.0\n# ingot: hold\nFROM ${repository}:$V\n`).left).toMatchObject([{ reason: 'held' }]);
  });
});
