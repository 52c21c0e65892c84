import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, constants, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { bundledNode } from '../../scripts/parts.mjs';

const INGOT = join(import.meta.dirname, '..', '..', 'scripts', 'ingot.mjs');
let folder: string;
let script: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-bin-'));
  script = join(folder, 'script.ts');
});

afterEach(() => rm(folder, { recursive: true }));

/** With an old Node the launcher stands in for its child; a Node without `execve` behaves like one. */
const OLD = ['--import', 'data:text/javascript,process.execve=undefined'];
const ways = [
  ['replaces itself', []],
  ['stands in', OLD],
] as const;

function start(way: readonly string[], ...args: string[]) {
  return spawn(process.execPath, [...way, INGOT, '--node', script, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
}

test.each(ways)('runs TypeScript with Node 24 and its arguments (%s)', async (_, way) => {
  await writeFile(
    script,
    'const n: number = 3; console.log(JSON.stringify([process.argv.slice(2), process.env.PATH]), n);',
  );

  const out = await text(start(way, 'a b', '--c').stdout);

  expect(out).toContain('["a b","--c"]');
  expect(out).toContain(`"${dirname(bundledNode() ?? process.execPath)}:`);
});

test.each(ways)('keeps the exit code (%s)', async (_, way) => {
  await writeFile(script, 'process.exit(42);');

  expect(await once(start(way), 'exit')).toEqual([42, null]);
});

test.each(ways)('passes signals on and waits for the end (%s)', async (_, way) => {
  await writeFile(
    script,
    "setInterval(() => {}, 1000); process.on('SIGTERM', () => process.exit(7)); console.log('up');",
  );
  const child = start(way);
  await once(child.stdout, 'data');

  child.kill('SIGTERM');

  expect(await once(child, 'exit')).toEqual([7, null]);
});

test('a child that dies by a signal gives 128 and its number', async () => {
  await writeFile(script, "process.kill(process.pid, 'SIGKILL');");

  expect(await once(start(OLD), 'exit')).toEqual([137, null]);
});

test('the child ends when the launcher is killed', async () => {
  const ended = join(folder, 'ended');
  await writeFile(
    script,
    `import { writeFileSync } from 'node:fs';
     setInterval(() => {}, 1000);
     process.on('SIGTERM', () => { writeFileSync('${ended}', 'yes'); process.exit(); });
     console.log('up');`,
  );
  const child = start(OLD);
  await once(child.stdout, 'data');

  child.kill('SIGKILL');
  await once(child.stdout, 'close'); // the child had the other end of it

  expect(await readFile(ended, 'utf8')).toBe('yes');
});

test('is executable, since npx runs it as it is', async () => {
  await expect(access(INGOT, constants.X_OK)).resolves.toBeUndefined();
});
