import { expect, test } from 'vitest';
import { apkCacheNames } from '../../../src/domain/packages/apk-cache.ts';

/** What `apk update` of 2.14.10 and of 3.0.6 left in /var/cache/apk, on aarch64. */
test.each([
  ['main', ['APKINDEX.f91a45e0.tar.gz', 'APKINDEX.a46e4e9f.tar.gz']],
  ['community', ['APKINDEX.0e38ca1f.tar.gz', 'APKINDEX.f459f77f.tar.gz']],
])('the index of %s has the names under which both versions of apk look for it', (repository, names) => {
  const index = `http://archive.example.org/alpine/v3.22/${repository}/aarch64/APKINDEX.tar.gz`;

  expect(apkCacheNames(index)).toEqual(names);
});
