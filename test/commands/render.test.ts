import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { render } from '../../src/commands/render.ts';
import { readFleet } from '../../src/definitions/read.ts';
import { type Digest, digestOf } from '../../src/domain/digest.ts';
import type { Fleet, ImageInput } from '../../src/domain/fleet/model.ts';

let fleet: Fleet;
beforeAll(async () => {
  fleet = await readFleet(join(import.meta.dirname, '../..'));
});

async function run(name: string, resolve: (input: ImageInput) => Promise<Digest | undefined>, json = false) {
  const out: string[] = [];
  const notes: string[] = [];
  const code = await render(name, { fleet, json, resolve, print: (l) => out.push(l), note: (l) => notes.push(l) });
  return { code, out: out.join('\n'), notes };
}

test('a rendered Dockerfile names its base by digest', async () => {
  const { code, out, notes } = await run('debian', async ({ written }) => digestOf(written));

  expect(code).toBe(0);
  expect(out).toContain(`\nFROM debian:12-slim@${digestOf('debian:12-slim')}\n`);
  expect(notes).toEqual([]);
});

test('an own Dockerfile is printed as it is, with its pins beside', async () => {
  const { code, out, notes } = await run('static', async ({ written }) => digestOf(written));

  expect(code).toBe(0);
  expect(out).toContain('FROM golden/debian AS certificates');
  expect(notes).toEqual([`# golden/debian is pinned to ${digestOf('golden/debian')}`]);
});

test('a base without release yet is named, and the exit code says so', async () => {
  const { code, out, notes } = await run('python', async () => undefined);

  expect(code).toBe(4);
  expect(out).toContain('\nFROM golden/debian\n');
  expect(notes).toEqual(['# the digest of golden/debian is not known: debian is not released yet']);
});

test('JSON holds the Dockerfile and its inputs', async () => {
  const { out } = await run('python', async ({ written }) => digestOf(written), true);

  expect(JSON.parse(out)).toMatchObject({
    image: 'python',
    kind: 'rendered',
    contextFiles: [],
    inputs: [{ role: 'base', written: 'golden/debian', digest: digestOf('golden/debian') }],
  });
});

test('an unknown image is answered with the nearest name', async () => {
  await expect(run('pyhton', async () => undefined)).rejects.toThrow(
    'the fleet has no image "pyhton"; did you mean "python"?',
  );
});
