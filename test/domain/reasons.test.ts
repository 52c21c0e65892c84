import { expect, test } from 'vitest';
import { explainHold, explainReason } from '../../src/domain/reasons.ts';
import type { Hold, Reason } from '../../src/domain/staleness.ts';

const old = `sha256:${'a'.repeat(64)}` as const;
const fresh = `sha256:${'b'.repeat(64)}` as const;
const upstream = 'docker.io/library/debian:12';

test.each<[Reason, string]>([
  [{ kind: 'never-released' }, 'it was never released'],
  [{ kind: 'requested', by: 'ana' }, 'ana asked for it'],
  [
    { kind: 'base-changed', name: upstream, from: old, to: fresh, created: '2026-08-20T01:02:03Z' },
    'its base debian:12 moved from aaaaaaaaaaaa to bbbbbbbbbbbb (made 2026-08-20)',
  ],
  [
    { kind: 'base-changed', name: 'golden/debian', from: old, to: fresh, version: '12.0.1' },
    'its base golden/debian moved from aaaaaaaaaaaa to bbbbbbbbbbbb (version 12.0.1)',
  ],
  [{ kind: 'input-changed', name: upstream, to: fresh }, 'its input debian:12 is new, at bbbbbbbbbbbb'],
  [
    { kind: 'base-changed', name: upstream, from: fresh, to: fresh },
    'its base debian:12 has other content for a platform, at bbbbbbbbbbbb',
  ],
  [
    { kind: 'definition-changed', parts: ['image.yaml#env', 'packages.yaml#base'] },
    'its definition changed: image.yaml#env, packages.yaml#base',
  ],
  [
    { kind: 'release-damaged', missing: ['linux/arm64'] },
    'the release in use is damaged, the registry lacks linux/arm64',
  ],
  [{ kind: 'recipe-changed', from: '1', to: '2' }, 'ingot builds it differently now (recipe 1 became 2)'],
])('%j is said as a person would', (reason, words) => {
  expect(explainReason(reason)).toBe(words);
});

test.each<[Hold, string]>([
  [
    { kind: 'waiting-for-parent', parent: 'debian', why: 'it is being rebuilt' },
    'waits for its parent debian: it is being rebuilt',
  ],
  [
    { kind: 'waiting-for-platform', name: upstream, platforms: ['linux/arm64'] },
    'waits until debian:12 has linux/arm64',
  ],
  [
    { kind: 'no-builder', platform: 'linux/arm64', why: 'there is no emulator', remedy: 'install qemu-user-static' },
    'nobody can build linux/arm64: there is no emulator; install qemu-user-static',
  ],
])('%j says what is waited for', (hold, words) => {
  expect(explainHold(hold)).toBe(words);
});
