import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

const REPORT = join(import.meta.dirname, '..', '..', '.ci', 'report.mjs');
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-ci-'));
});

afterEach(() => rm(folder, { recursive: true }));

const passed = { status: 'passed', fullName: 'adds' };
const failed = { status: 'failed', fullName: 'subtracts' };
const skipped = { status: 'pending', fullName: 'divides' };
const loaded = (status: string, assertionResults: unknown[], message = '') => ({
  name: 'a.test.ts',
  status,
  message,
  assertionResults,
});

async function report(testResults: unknown[], { check = '0', tests = '0' } = {}) {
  const file = join(folder, 'results.json');
  await writeFile(file, JSON.stringify({ testResults }));
  return new Promise<{ code: number; last: string; out: string }>((resolve) => {
    const child = execFile(process.execPath, [REPORT, file, check, tests], (_, out) =>
      resolve({ code: child.exitCode ?? -1, last: out.trimEnd().split('\n').at(-1) ?? '', out }),
    );
  });
}

test('all tests passed', async () => {
  expect(await report([loaded('passed', [passed, passed, skipped])])).toMatchObject({
    code: 0,
    last: '2 passed, 0 failed',
  });
});

test('a test that failed is named', async () => {
  const { code, last, out } = await report([loaded('failed', [passed, failed])], { tests: '1' });

  expect({ code, last }).toEqual({ code: 1, last: '1 passed, 1 failed' });
  expect(out).toContain('failed: a.test.ts: subtracts');
});

test('a file that does not load counts as one failure', async () => {
  const { code, last, out } = await report([loaded('failed', [], 'Cannot find module x\nat y')], { tests: '1' });

  expect({ code, last }).toEqual({ code: 1, last: '0 passed, 1 failed' });
  expect(out).toContain('failed: a.test.ts: Cannot find module x');
});

test('a failed check fails, whatever the tests say', async () => {
  expect(await report([loaded('passed', [passed])], { check: '2' })).toMatchObject({
    code: 1,
    last: '1 passed, 1 failed',
  });
});

test('an error that no test is blamed for fails', async () => {
  expect(await report([loaded('passed', [passed])], { tests: '1' })).toMatchObject({
    code: 1,
    last: '1 passed, 1 failed',
  });
});

test('no test at all is a failure', async () => {
  expect(await report([])).toMatchObject({ code: 1, last: '0 passed, 0 failed' });
});
