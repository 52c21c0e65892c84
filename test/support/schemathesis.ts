import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findOnPath, isExecutable, root } from '../../scripts/parts.mjs';

const INSTALLED = join(root, '.tools', 'schemathesis', 'bin', 'schemathesis');
const SETTINGS = join(root, 'test', 'fixtures', 'schemathesis.toml');

/** Where set-up put it, or PATH has it; `undefined` where neither did: Python packages could not be had. */
export const schemathesis: string | undefined = isExecutable(INSTALLED)
  ? INSTALLED
  : findOnPath('schemathesis', process.env.PATH ?? '');

/** Asks every operation what its document says, and what it does not. @returns what was said, when it found something */
export async function runSchemathesis(
  server: string,
  token: string,
  options: { readonly maxExamples: number; readonly seed?: number },
): Promise<string | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-schemathesis-'));
  const args = [
    ...['--config-file', SETTINGS, 'run', `${server}/openapi.json`, '--header', `Authorization: Bearer ${token}`],
    // Streams have no end that it could wait for; they have tests of their own
    ...['--exclude-path-regex', '/events$', '--max-examples', String(options.maxExamples)],
    ...(options.seed === undefined ? [] : ['--seed', String(options.seed)]),
  ];
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', schemathesis!, ...args], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  await rm(folder, { recursive: true, force: true });
  return code === 0 ? undefined : text;
}
