import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { diffCommand } from '../../src/commands/diff.ts';
import { exitCodeOfError } from '../../src/commands/errors.ts';
import { composeDiffer } from '../../src/compose/reader.ts';
import { readConfig } from '../../src/config.ts';
import { ScannerError } from '../../src/scanner/scanner.ts';
import { pushImage } from '../support/images.ts';
import { startDistribution, type TestRegistry } from '../support/registry.ts';

const signal = new AbortController().signal;
let server: TestRegistry;
let folder: string;
let app: ReturnType<typeof composeDiffer>;
beforeAll(async () => {
  [server, folder] = await Promise.all([startDistribution(), mkdtemp(join(tmpdir(), 'ingot-diff-'))]);
  app = composeDiffer(await readConfig({ root: folder, env: {} }));
  await pushImage(app.registry, `${server.address}/team/app:1`, { files: { 'etc/motd': 'hello' } });
  await pushImage(app.registry, `${server.address}/team/app:2`, { files: { 'etc/motd': 'bye' }, user: '10001' });
});
afterAll(async () => {
  await app?.close();
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

// As on a machine without the programs
const unavailable = () => Promise.reject(new ScannerError('not installed', { code: 'unavailable' }));
const cataloguer = { name: 'none', catalogue: unavailable, packages: () => [] };
const scanner = { name: 'none', database: unavailable, scan: unavailable };

async function run(before: string, after: string, more: { json?: boolean; platforms?: string[] } = {}) {
  const lines: string[] = [];
  const documents: unknown[] = [];
  const output = {
    line: (text: string) => void lines.push(text),
    json: (value: unknown) => void documents.push(value),
    progress: process.stderr,
  };
  const options = { before, after, platforms: [], json: false, markdown: false, signal, ...more };
  return {
    code: await diffCommand({ ...app, cataloguer, scanner }, output, options),
    text: lines.join('\n'),
    documents,
  };
}
const app1 = () => `${server.address}/team/app:1`;
const app2 = () => `${server.address}/team/app:2`;

describe('ingot diff, without a fleet', () => {
  test('tells what differs between any two images, and writes nothing', async () => {
    const { code, text } = await run(app1(), app2());

    expect(code).toBe(0);
    expect(text).toContain('/etc: 1 changed: motd');
    expect(text).toContain('vulnerabilities are not known, not both have an SBOM: not installed');
    expect(text).toContain('User: not set → "10001"');
    expect(await readdir(folder)).toEqual([]);
  });

  test('has one JSON document, and is 0 when nothing differs', async () => {
    const { code, text, documents } = await run(app1(), app1(), { json: true });

    expect([code, text]).toEqual([0, '']);
    expect(documents).toMatchObject([{ platforms: [{ platform: 'linux/amd64', state: 'same' }] }]);
  });

  test('ends with 4 when a registry cannot be asked, and 2 for what is no reference or platform', async () => {
    const codeOf = (before: string, platforms: string[] = []) =>
      run(before, app2(), { platforms }).then(() => 0, exitCodeOfError);

    expect(await codeOf('127.0.0.1:1/team/app:1')).toBe(4);
    expect(await codeOf('Not A Reference')).toBe(2);
    expect(await codeOf(app1(), ['amd64'])).toBe(2);
  });
});
