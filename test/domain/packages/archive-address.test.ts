import { describe, expect, test } from 'vitest';
import { Archives } from '../../../src/domain/fleet/settings-archives.ts';
import { mirrorOf } from '../../../src/domain/packages/archive-address.ts';

const MIRRORS = Archives.parse({
  'deb.example.org': 'https://mirror.acme.example/deb',
  'deb.example.org/debian': 'https://mirror.acme.example/debian/',
  'other.example/x': { url: 'http://mirror.acme.example/x', keyring: 'keys/x.gpg' },
});

describe('the mirror of an archive', () => {
  test.each([
    ['http://deb.example.org/debian/', 'https://mirror.acme.example/debian/'],
    ['https://deb.example.org/debian/dists/x/', 'https://mirror.acme.example/debian/dists/x/'],
    ['http://deb.example.org/debian-security/', 'https://mirror.acme.example/deb/debian-security/'],
    ['http://user:secret@deb.example.org/debian/', 'https://mirror.acme.example/debian/'],
    ['http://deb.example.org.evil.example/debian/', 'http://deb.example.org.evil.example/debian/'],
    ['http://elsewhere.example/debian/', 'http://elsewhere.example/debian/'],
  ])('of %s is %s', (uri, expected) => {
    expect(mirrorOf(uri, MIRRORS).url).toBe(expected);
  });

  test('may have a keyring', () => {
    expect(mirrorOf('http://other.example/x/', MIRRORS)).toEqual({
      url: 'http://mirror.acme.example/x/',
      keyring: 'keys/x.gpg',
    });
  });

  test.each([
    { 'http://deb.example.org/debian': 'https://m.example/' },
    { 'deb.example.org': 'm.example/debian' },
    { 'deb.example.org': 'https://user:secret@m.example/debian' },
    { 'deb.example.org': 'ftp://m.example/debian' },
    { 'deb.example.org': { keyring: 'x' } },
  ])('is refused as %o', (archives) => {
    expect(Archives.safeParse(archives).success).toBe(false);
  });
});
