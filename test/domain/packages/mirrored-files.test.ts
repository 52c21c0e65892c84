import { expect, test } from 'vitest';
import { mirroredFiles } from '../../../src/domain/packages/mirrored-files.ts';

const MIRRORS = {
  'deb.debian.org/debian': { url: 'https://mirror.acme.example/debian' },
  'dl-cdn.alpinelinux.org': { url: 'http://mirror.acme.example/alpine/' },
  'cdn.example.org/rpm': { url: 'https://mirror.acme.example/rpm' },
};
const bytes = (files: Record<string, string>) =>
  Object.fromEntries(Object.entries(files).map(([path, text]) => [path, Buffer.from(text)]));

test.each([
  [
    '/etc/apt/sources.list',
    'deb http://deb.debian.org/debian bookworm main',
    'deb https://mirror.acme.example/debian bookworm main',
  ],
  [
    '/etc/apt/sources.list.d/debian.sources',
    'Types: deb\nURIs: http://deb.debian.org/debian/ http://other.example/debian\n',
    'Types: deb\nURIs: https://mirror.acme.example/debian/ http://other.example/debian\n',
  ],
  [
    '/etc/apk/repositories',
    '@edge https://dl-cdn.alpinelinux.org/alpine/edge/main\r\n',
    '@edge http://mirror.acme.example/alpine/alpine/edge/main\r\n',
  ],
  [
    '/etc/yum.repos.d/x.repo',
    '[x]\nbaseurl=https://cdn.example.org/rpm/$releasever/$basearch/\n',
    '[x]\nbaseurl=https://mirror.acme.example/rpm/$releasever/$basearch/\n',
  ],
])('%s names the mirrors of its archives', (path, before, after) => {
  expect(mirroredFiles(bytes({ [path]: before }), MIRRORS)).toEqual({ [path]: after });
});

test.each([
  ['comments', '/etc/apt/sources.list', '# deb http://deb.debian.org/debian bookworm main\n'],
  [
    'archives without a mirror',
    '/etc/apt/sources.list',
    'deb http://deb.debian.org/debian-security bookworm-security main\n',
  ],
  ['files that are no sources', '/etc/apt/preferences', 'http://deb.debian.org/debian\n'],
])('%s stay as they are', (_, path, text) => {
  expect(mirroredFiles(bytes({ [path]: text }), MIRRORS)).toEqual({});
});

test('without mirrors nothing changes', () => {
  expect(mirroredFiles(bytes({ '/etc/apt/sources.list': 'deb http://deb.debian.org/debian x y\n' }), {})).toEqual({});
});
