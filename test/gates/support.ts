import type { Digest } from '../../src/domain/digest.ts';
import type { Gate, GateTest } from '../../src/domain/fleet/settings-gates.ts';
import type { GateSubject } from '../../src/gates/gates.ts';

export const DIGEST: Digest = `sha256:${'a'.repeat(64)}`;

export const SUBJECT: GateSubject = {
  image: 'python',
  version: '3.11.4',
  reference: { registry: '127.0.0.1:5000', repository: 'staging/python', digest: DIGEST },
  platforms: { 'linux/amd64': `sha256:${'b'.repeat(64)}`, 'linux/arm64': `sha256:${'c'.repeat(64)}` },
  repository: { registry: '127.0.0.1:5000', repository: 'python' },
  reasons: ['its base debian:12 moved'],
};

export function gate(test: GateTest, change: Partial<Gate> = {}): Gate {
  return { name: 'contract', when: 'before', timeoutSeconds: 20, test, ...change };
}
