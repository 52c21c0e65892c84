import { zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readLayer } from '../../src/image/layer.ts';
import { tarOf } from '../support/images.ts';

const SKIPPABLE = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
const files = { a: 'x'.repeat(100_000), b: Array.from({ length: 9_000 }, (_, n) => n).join(), 'c/d': '' };

async function* inPieces(bytes: Buffer, size: number) {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}

const read = (bytes: Buffer, piece: number) =>
  readLayer(inPieces(bytes, piece), { wanted: () => false, maxFileBytes: 0, digests: true });

describe('a layer of zstd', () => {
  test('is read whole however it is cut into frames and pieces', async () => {
    const tar = await tarOf(files);
    const whole = await read(tar, 65_536);
    const cuts = fc.array(fc.oneof(fc.nat(tar.length), fc.constantFrom(512, 101_376)), { maxLength: 6 });

    await fc.assert(
      fc.asyncProperty(cuts, fc.integer({ min: 1, max: 70_000 }), fc.boolean(), async (at, piece, skippable) => {
        const ends = [...at.sort((a, b) => a - b), tar.length];
        const frames = ends.map((end, index) => zstdCompressSync(tar.subarray(ends[index - 1] ?? 0, end)));
        const bytes = Buffer.concat(skippable ? frames.flatMap((frame) => [SKIPPABLE, frame]) : frames);

        expect(await read(bytes, Math.max(piece, bytes.length / 500))).toEqual(whole);
      }),
      { numRuns: 60 },
    );
  });

  test.each([
    ['cut short', (bytes: Buffer) => bytes.subarray(0, -3)],
    ['cut within a second frame', (bytes: Buffer) => Buffer.concat([bytes, bytes.subarray(0, 9)])],
    ['followed by something else', (bytes: Buffer) => Buffer.concat([bytes, Buffer.from('hello')])],
  ])('%s is an error', async (_, spoil) => {
    const bytes = zstdCompressSync(await tarOf(files));

    await expect(read(spoil(bytes), 65_536)).rejects.toThrow('a zstd layer');
  });
});
