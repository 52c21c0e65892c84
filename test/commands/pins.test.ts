import { chmod, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Output } from '../../src/commands/output.ts';
import { bumpCommand, type PinsApp, pinsCommand } from '../../src/commands/pins.ts';
import { unifiedDiff } from '../../src/commands/text-diff.ts';
import type { Digest } from '../../src/domain/digest.ts';

const repository = 'ghcr.io/acme/golden/debian';
const digest = (letter: string): Digest => `sha256:${letter.repeat(64)}`;
const app: PinsApp = {
  settings: [],
  prefix: 'ghcr.io/acme/golden',
  releases: async () => [
    {
      repository,
      line: '12',
      version: '12.2.0',
      digest: digest('c'),
      versions: ['12', '12.0.0', '12.1.0', '12.2.0'],
      identify: async (found) => (found === digest('a') ? { version: '12.0.0' } : undefined),
    },
  ],
};

let folder: string;
let lines: string[];
let documents: unknown[];
const output: Output = {
  line: (text) => void lines.push(text),
  json: (value) => void documents.push(value),
  progress: process.stderr,
};

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-pins-'));
  [lines, documents] = [[], []];
});
afterEach(() => rm(folder, { recursive: true }));

async function write(path: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), content);
}

const read = (path: string) => readFile(join(folder, path), 'utf8');
const pins = async (registry?: string) => {
  await pinsCommand(app, output, { folder, registry, json: true });
  return documents[0] as { pins: Record<string, unknown>[]; left: unknown[]; skipped: { path: string }[] };
};
const bump = (dryRun = false) => bumpCommand(app, output, { folder, dryRun, json: false });

test('pins are listed with place, version, and how far they are behind', async () => {
  await write('Dockerfile', `FROM ${repository}:12.0.0\nFROM ${repository}@${digest('a')}\nFROM alpine:3.20\n`);
  await write('deploy/shop.container', `[Container]\nImage=${repository}:12.2.0\n`);

  const { pins: found } = await pins();

  expect(found.map(({ path, line, version, behind }) => [path, line, version, behind])).toEqual([
    ['Dockerfile', 1, '12.0.0', 2],
    ['Dockerfile', 2, '12.0.0', 2],
    ['deploy/shop.container', 2, '12.2.0', 0],
  ]);
});

test('another registry may be asked for', async () => {
  await write('Dockerfile', `FROM ${repository}:12.0.0\nFROM alpine:3.20\n`);

  expect((await pins('docker.io')).pins).toMatchObject([{ image: 'docker.io/library/alpine' }]);
});

test('a working copy is changed, its modes kept, and the diff printed', async () => {
  await write('Dockerfile', `# base\r\nFROM ${repository}:12.0.0\r\nRUN true\r\n`);
  await chmod(join(folder, 'Dockerfile'), 0o640);

  expect(await bump()).toBe(0);

  expect(await read('Dockerfile')).toBe(`# base\r\nFROM ${repository}:12.2.0\r\nRUN true\r\n`);
  expect((await stat(join(folder, 'Dockerfile'))).mode & 0o777).toBe(0o640);
  expect(lines).toEqual([
    '--- a/Dockerfile',
    '+++ b/Dockerfile',
    '@@ -1,3 +1,3 @@',
    ' # base\r',
    `-FROM ${repository}:12.0.0\r`,
    `+FROM ${repository}:12.2.0\r`,
    ' RUN true\r',
    'moved 1 pin in 1 file',
  ]);
});

test('a dry run changes nothing', async () => {
  await write('Dockerfile', `FROM ${repository}:12.0.0\n`);

  await bump(true);

  expect(await read('Dockerfile')).toBe(`FROM ${repository}:12.0.0\n`);
  expect(lines.at(-1)).toBe('would move 1 pin in 1 file');
});

test('links, git and what is no text or too large are left alone, the latter with a word', async () => {
  await write('outside/x', `FROM ${repository}:12.0.0\n`);
  await write('copy/.git/Dockerfile', `FROM ${repository}:12.0.0\n`);
  await write('copy/a/Dockerfile', Buffer.from(`FROM ${repository}:12.0.0\n\0`));
  await write('copy/b/Dockerfile', `FROM ${repository}:12.0.0\n${' '.repeat(5 * 1024 * 1024)}`);
  await symlink(join(folder, 'outside/x'), join(folder, 'copy/Dockerfile'));
  await symlink(join(folder, 'outside'), join(folder, 'copy/linked'));

  await bumpCommand(app, output, { folder: join(folder, 'copy'), dryRun: false, json: false });

  expect(await read('outside/x')).toContain(':12.0.0');
  expect(await read('copy/.git/Dockerfile')).toContain(':12.0.0');
  expect(lines).toEqual([
    'nothing to move',
    'not read: a/Dockerfile: it is no text',
    expect.stringMatching(/^not read: b\/Dockerfile: \d+ bytes are too many/),
  ]);
});

test('what is left alone is told with place and reason', async () => {
  await write('Dockerfile', `# ingot: hold\nFROM ${repository}:12.0.0\n`);

  await bump();

  expect(lines).toEqual(['nothing to move', 'left alone:', '  Dockerfile:2: it is held; the release is 12.2.0 (held)']);
});

test('the folder says itself what becomes of its pins, and nothing is touched while that is wrong', async () => {
  await write('Dockerfile', `FROM ${repository}:12.0.0\n`);
  await write('.ingot.yaml', 'update: newest\n');

  await expect(bump()).rejects.toThrow('.ingot.yaml:1:1: update cannot be "newest"');
  await write('.ingot.yaml', 'update: hold\n');
  await bump();

  expect(await read('Dockerfile')).toContain(':12.0.0');
  expect(lines).toContain('  Dockerfile:1: it is held; the release is 12.2.0 (held)');
});

test('changes that stand apart are shown apart', () => {
  const before = Array.from({ length: 20 }, (_, index) => `line ${index}`);
  const after = before.with(1, 'one').with(18, 'eighteen');

  expect(unifiedDiff('x', before.join('\n'), after.join('\n')).filter((line) => /^[@+\\-]/.test(line))).toEqual([
    '--- a/x',
    '+++ b/x',
    '@@ -1,5 +1,5 @@',
    '-line 1',
    '+one',
    '@@ -16,5 +16,5 @@',
    '-line 18',
    '+eighteen',
    '\\ No newline at end of file',
  ]);
});
