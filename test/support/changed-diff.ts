import { digestOf } from '../../src/domain/digest.ts';
import type { ImageDiff } from '../../src/domain/image-diff.ts';
import type { Finding } from '../../src/domain/verdict.ts';

/** Two releases that differ in everything in which they can. @param word stands wherever others may have written */
export function changedDiff(word: string): ImageDiff {
  const side = (version: string) => ({
    name: `base:${version}`,
    reference: `base:${version}`,
    digest: digestOf(version),
  });
  const finding: Finding = {
    ...{ id: word, severity: 'critical', source: word, packages: [word], installed: '3.0.14-1' },
    fix: { state: 'fixed', versions: ['3.0.15-1'] },
  };
  const layer = { digest: digestOf('layer'), size: 2_000_000, createdBy: `RUN ${word}` };
  return {
    before: side('12.0.0'),
    after: side('12.0.1'),
    platforms: [
      {
        ...{
          platform: 'linux/amd64',
          state: 'changed',
          before: digestOf('a'),
          after: digestOf('b'),
          sameContent: false,
        },
        files: {
          added: [`/opt/${word}`],
          removed: ['/etc/old'],
          changed: [{ path: '/etc/motd', what: ['content'] }],
          ignored: [],
        },
        config: [{ key: word, before: word, after: ['a', 'b'] }],
        layers: {
          ...{ size: { before: 30_000_000, after: 32_000_000 }, common: { count: 3, size: 28_000_000 } },
          ...{ before: [], after: [layer] },
        },
        packages: {
          from: 'sbom',
          changes: [{ name: word, type: 'deb', before: '3.0.14-1', after: '3.0.15-1~deb12u1' }],
        },
        vulnerabilities: { fixed: [finding], added: [{ ...finding, severity: 'high' }] },
        notes: [word],
      },
      { platform: 'linux/arm64', state: 'same', digest: digestOf('c') },
    ],
  };
}
