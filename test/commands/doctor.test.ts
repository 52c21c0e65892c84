import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Part } from '../../scripts/parts.mjs';
import { doctorReport, formatReport, runDoctor } from '../../src/commands/doctor.ts';

const part: Part = {
  name: 'ingot-test-tool',
  purpose: 'a test',
  groups: ['demo', 'test', 'start'],
  from: 'go',
  versions: { args: ['--version'], pattern: /tool (\S+)/, min: '1.4', below: '2' },
};
const emulation = async () => ({ ready: true }) as const;
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-doctor-'));
});

afterEach(() => rm(folder, { recursive: true }));

const install = (version: string) =>
  writeFile(join(folder, part.name), `#!/bin/sh\necho "tool ${version}"\n`, { mode: 0o755 });

async function look(overrides: Partial<Part> = {}) {
  const { ok, findings } = await doctorReport({ path: folder, parts: [{ ...part, ...overrides }], emulation });
  return { ok, finding: findings.find(({ name }) => name === part.name) };
}

test('says where a part is and which version', async () => {
  await install('1.9.1');

  const { finding } = await look();

  expect(finding).toMatchObject({ ok: true, where: join(folder, part.name), version: '1.9.1', purpose: 'a test' });
});

test.each(['1.3.9', '2.0.0'])('a part of version %s is not supported', async (version) => {
  await install(version);

  const { ok, finding } = await look();

  expect(ok).toBe(false);
  expect(finding).toMatchObject({ ok: false, why: 'needs >=1.4 <2', remedy: 'node scripts/setup.mjs demo' });
});

test('says how to get a part that is missing', async () => {
  const { ok, finding } = await look();

  expect(ok).toBe(false);
  expect(finding).toMatchObject({ ok: false, why: 'not found', remedy: 'node scripts/setup.mjs demo' });
});

test('a missing part that only tests need is optional', async () => {
  const { finding } = await look({ groups: ['test'] });

  expect(finding).toMatchObject({ ok: false, optional: true, remedy: 'node scripts/setup.mjs test' });
});

test('a platform that cannot run here is named with the command that changes it', async () => {
  const missing = async () => ({ ready: false, why: 'not registered', remedy: 'register it' }) as const;

  const report = await doctorReport({ parts: [], emulation: missing });

  expect(report.ok).toBe(false);
  expect(formatReport(report)).toContain('linux/arm64: not registered\n  -> register it');
});

test('prints one JSON document', async () => {
  const printed: string[] = [];

  const code = await runDoctor({ json: true, print: (text) => printed.push(text) }, { parts: [], emulation });

  expect(code).toBe(0);
  expect(JSON.parse(printed.join('')).findings).toContainEqual(expect.objectContaining({ name: 'flock', ok: true }));
});
