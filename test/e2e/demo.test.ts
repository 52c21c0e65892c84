import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { zDigest } from '../../src/domain/digest.ts';
import { zPlatform } from '../../src/domain/platform.ts';
import { atDigest, atTag, parseReference, type Reference } from '../../src/domain/reference.ts';
import { type Embedded, startEmbedded } from '../../src/embedded/embedded.ts';
import { readTag } from '../../src/flows/releases.ts';
import { exec } from '../../src/lib/exec.ts';
import { createHttp } from '../../src/lib/http.ts';
import { createRegistry } from '../../src/registry/oci.ts';
import { createAttestor } from '../../src/signer/attestor.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const DEMO = join(ROOT, '.ingot', 'demo');

const Summary = z.object({
  registry: z.string(),
  publicKey: z.string(),
  nights: z.array(
    z.object({
      runs: z.array(
        z.object({
          image: z.string(),
          reasons: z.array(z.looseObject({ kind: z.string() })),
          outcome: z.string(),
          version: z.string(),
          digest: zDigest,
          platforms: z.record(zPlatform, z.object({ digest: zDigest, seconds: z.record(z.string(), z.number()) })),
        }),
      ),
      seconds: z.number(),
      ownSeconds: z.number(),
    }),
  ),
  pulls: z.array(z.object({ repository: z.string(), branch: z.string(), title: z.string(), body: z.string() })),
});

let summary: z.infer<typeof Summary>;
let embedded: Embedded;
const http = createHttp({ connectionsPerHost: 8, userAgent: 'ingot-test', timeoutMs: 30_000 });
const registry = createRegistry({ http });

/** The whole path for both platforms, on a real base: the demo is the product's own code. */
beforeAll(async () => {
  const demo = await exec(process.execPath, [join(ROOT, 'scripts', 'demo', 'main.ts')], {
    cwd: ROOT,
    timeout: 30 * 60_000,
  });
  expect(demo.exitCode, `${demo.stdout.toString()}\n${demo.stderr}`).toBe(0);
  summary = Summary.parse(JSON.parse(await readFile(join(DEMO, 'summary.json'), 'utf8')));
  embedded = await startEmbedded({ dataDirectory: join(DEMO, '.ingot'), needs: { registry: true } });
}, 30 * 60_000);
afterAll(async () => {
  await embedded?.close();
  await http.close();
});

test('the first night releases the fleet, the second all of it again for its base, the third nothing', () => {
  const nights = summary.nights.map(({ runs }) =>
    runs.map(({ image, outcome, reasons }) => [image, outcome, reasons[0]?.kind]),
  );

  expect(nights.map((night) => night.toSorted())).toEqual([
    [
      ['debian', 'released', 'never-released'],
      ['python', 'released', 'never-released'],
      ['static', 'released', 'never-released'],
    ],
    [
      ['debian', 'released', 'base-changed'],
      ['python', 'released', 'base-changed'],
      ['static', 'released', expect.stringMatching(/^(base|input)-changed$/)],
    ],
    [],
  ]);
});

test('everything that the summary says of a release is in the registry', async () => {
  for (const { image, version, digest, platforms } of summary.nights.flatMap(({ runs }) => runs)) {
    const release = await readTag(registry, atTag(repositoryOf(image), version), {});

    const told = Object.fromEntries(Object.entries(platforms).map(([platform, child]) => [platform, child.digest]));
    expect({ digest: release?.digest, platforms: release?.platforms, version: release?.version }).toEqual({
      digest,
      platforms: told,
      version,
    });
  }
});

test('every release verifies, index and platforms, in both formats', async () => {
  const attestor = createAttestor({ registry, publicKey: summary.publicKey });
  for (const { image, digest, platforms } of summary.nights.flatMap(({ runs }) => runs)) {
    for (const each of [digest, ...Object.values(platforms).map((child) => child.digest)]) {
      const verification = await attestor.verify(atDigest(repositoryOf(image), each));
      expect(verification).toMatchObject({ bundle: 'valid', legacy: 'valid', problems: [] });
      expect(verification.attestations).toHaveLength(2);
    }
  }
});

describe('cosign agrees', () => {
  test('about the index and each platform of the last python', async () => {
    const python = summary.nights[1]!.runs.find(({ image }) => image === 'python')!;
    for (const digest of [python.digest, ...Object.values(python.platforms).map((child) => child.digest)]) {
      const key = join(DEMO, '.ingot', 'keys', 'ingot.pub');
      const args = [
        'verify',
        '--key',
        key,
        '--insecure-ignore-tlog',
        '--allow-http-registry',
        `${summary.registry}/python@${digest}`,
      ];
      const { exitCode, stderr } = await exec(join(ROOT, '.tools', 'bin', 'cosign'), args, { timeout: 60_000 });
      expect(exitCode, stderr).toBe(0);
    }
  });
});

test('the channels of an image point to its newest release', async () => {
  const debian = summary.nights[1]!.runs.find(({ image }) => image === 'debian')!;

  const heads = await Promise.all(
    ['12', '12.0', 'stable'].map((tag) => registry.head(atTag(repositoryOf('debian'), tag))),
  );

  expect(heads.map((head) => head?.digest)).toEqual([debian.digest, debian.digest, debian.digest]);
});

test('pull requests say what changed, which vulnerabilities are fixed, and how to verify', () => {
  const python = summary.pulls.find(({ branch }) => branch === 'ingot/image/python');

  expect(summary.pulls.map(({ branch }) => branch).sort()).toEqual(['ingot/image/python', 'ingot/image/static']);
  expect(python?.title).toMatch(/^Bump golden python to 3\.11\.1 \(\d+ CVEs? fixed\)$/);
  expect(python?.body).toMatch(/CVE-\d{4}-\d+/);
  expect(python?.body).toContain('cosign verify');
  expect(python?.body).toContain('3.11.0');
});

function repositoryOf(image: string): Reference {
  return parseReference(`${summary.registry}/${image}`);
}
