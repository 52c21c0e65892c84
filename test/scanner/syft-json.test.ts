import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/domain/digest.ts';
import { reproducibleSpdx } from '../../src/scanner/spdx.ts';
import { createdOf, packagesOf } from '../../src/scanner/syft-json.ts';

const fixture = (name: string) => readFile(join(import.meta.dirname, '..', 'fixtures', 'scanner', name));

describe('packages of a syft document', () => {
  it('name their source package and its version, in every ecosystem that has them', async () => {
    const packages = packagesOf(await fixture('syft.json'));

    expect(packages).toEqual([
      {
        name: 'libcurl',
        version: '8.5.0-r0',
        type: 'apk',
        architecture: 'aarch64',
        source: 'curl',
        sourceVersion: '8.5.0-r0',
      },
      deb('curl', '7.88.1-10+deb12u5', 'curl', '7.88.1-10+deb12u5'),
      deb('libcurl4', '7.88.1-10+deb12u5', 'curl', '7.88.1-10+deb12u5'),
      deb('perl-base', '5.36.0-7+b1', 'perl', '5.36.0-7'),
      { name: 'idna', version: '3.4', type: 'python', source: 'idna', sourceVersion: '3.4' },
      {
        name: 'libcurl-minimal',
        version: '7.76.1-26.el9',
        type: 'rpm',
        architecture: 'x86_64',
        source: 'curl',
        sourceVersion: '7.76.1-26.el9',
      },
    ]);
  });

  it('are none of anything else', () => {
    expect(() => packagesOf(Buffer.from('{"bomFormat":"CycloneDX"}'))).toThrow(
      expect.objectContaining({ code: 'protocol' }),
    );
    expect(() => packagesOf(Buffer.from('no JSON'))).toThrow(expect.objectContaining({ code: 'protocol' }));
  });

  it('come with the time at which the image was made', async () => {
    expect(createdOf(await fixture('syft.json'))).toBe('2026-11-23T08:15:09Z');
  });
});

describe('an SPDX document', () => {
  const reference = { registry: 'registry.example', repository: 'deb', digest: digestOf('image') };

  it('depends on the image alone', async () => {
    const first = await fixture('spdx.json');
    const second = shuffled(first.toString('utf8'));

    const [one, other] = [first, second].map((spdx) =>
      reproducibleSpdx(spdx, { reference, created: '2024-01-02T03:04:05Z' }),
    );

    expect(Buffer.from(other!).toString()).toBe(Buffer.from(one!).toString());
  });

  it('keeps all that it says, and has a namespace of its own for each image', async () => {
    const original = JSON.parse((await fixture('spdx.json')).toString('utf8'));
    const read = (digest = reference.digest) =>
      JSON.parse(
        Buffer.from(
          reproducibleSpdx(Buffer.from(JSON.stringify(original)), {
            reference: { ...reference, digest },
            created: 'now',
          }),
        ).toString(),
      );

    const document = read();

    expect(document.documentNamespace).toMatch(
      /^https:\/\/anchore\.com\/syft\/image\/registry\.example\/deb-[0-9a-f-]{36}$/,
    );
    expect(document.documentNamespace).not.toBe(read(digestOf('other')).documentNamespace);
    expect(document.creationInfo).toEqual({ ...original.creationInfo, created: 'now' });
    expect(document.packages).toHaveLength(original.packages.length);
    expect(new Set(document.relationships)).toEqual(new Set(original.relationships));
    expect(document.spdxVersion).toBe('SPDX-2.3');
  });
});

function deb(name: string, version: string, source: string, sourceVersion: string) {
  return { name, version, type: 'deb', architecture: 'amd64', source, sourceVersion };
}

/** Another run of syft over the same image. */
function shuffled(text: string): Uint8Array {
  const document = JSON.parse(text);
  document.documentNamespace = document.documentNamespace.replace(/[0-9a-f]{12}$/, '0123456789ab');
  document.creationInfo.created = '2030-01-01T00:00:00Z';
  document.relationships.reverse();
  document.packages.reverse();
  return Buffer.from(JSON.stringify(document));
}
