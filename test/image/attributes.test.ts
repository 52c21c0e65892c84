import { afterAll, beforeAll, expect, test } from 'vitest';
import { atDigest } from '../../src/domain/reference.ts';
import { compareContent } from '../../src/image/compare.ts';
import { createHttp, type Http } from '../../src/lib/http.ts';
import { createRegistry } from '../../src/registry/oci.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { pushImage, tarOf } from '../support/images.ts';
import { startDistribution, type TestRegistry } from '../support/registry.ts';

let server: TestRegistry;
let http: Http;
let registry: Registry;
beforeAll(async () => {
  server = await startDistribution();
  http = createHttp({ connectionsPerHost: 8, userAgent: 'ingot-test', timeoutMs: 30_000 });
  registry = createRegistry({ http });
});
afterAll(async () => {
  await Promise.all([http?.close(), server?.stop()]);
});

/** A layer with one program that has these capabilities (linux/capability.h, vfs_cap_data), as tar has them. */
async function layerWith(capabilities: number): Promise<Buffer> {
  const value = Buffer.from([1, 0, 0, 2, capabilities, ...Array.from({ length: 15 }, () => 0)]);
  const name = ' SCHILY.xattr.security.capability=';
  const record = Buffer.concat([Buffer.from(`${2 + name.length + value.length + 1}${name}`), value, Buffer.from('\n')]);
  const tar = await tarOf({ 'PaxHeader/tool': '-'.repeat(record.length), tool: 'binary' });
  record.copy(tar, 512);
  tar.write('x', 156);
  tar.fill(' ', 148, 156);
  const sum = tar.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  tar.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return tar;
}

async function compare(before: number, after: number) {
  const place = { registry: server.address, repository: 'capable' };
  const references = [];
  for (const [capabilities, created] of [
    [before, '2024-01-01T00:00:00Z'],
    [after, '2025-01-01T00:00:00Z'],
  ] as const) {
    const bytes = await layerWith(capabilities);
    const compress = () => ({ bytes, mediaType: 'application/vnd.oci.image.layer.v1.tar' });
    references.push(atDigest(place, (await pushImage(registry, place, { files: {}, created, compress })).digest));
  }
  return (await compareContent(registry, [references[0]!, references[1]!])).diff.files.changed;
}

test.each([
  ['cap_dac_override', 0x02, 'cap_kill', 0x20],
  ['cap_setuid', 0x80, 'cap_setuid and cap_setgid', 0xc0],
])('%s is told from other capabilities', async (_before, before, _after, after) => {
  expect(await compare(before, after)).toEqual([{ path: '/tool', what: ['attributes'] }]);
});

test('the same capabilities in the same layer are the same', async () => {
  expect(await compare(0x80, 0x80)).toEqual([]);
});
