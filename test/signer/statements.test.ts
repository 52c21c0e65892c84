import { describe, expect, it } from 'vitest';
import { digestOf } from '../../src/domain/digest.ts';
import { type Inputs, inputsDigest } from '../../src/domain/inputs.ts';
import { parseReference } from '../../src/domain/reference.ts';
import { statementPayload } from '../../src/signer/bundle.ts';
import {
  provenanceStatement,
  spdxStatement,
  verdictStatement,
  vulnerabilityStatement,
} from '../../src/signer/statements.ts';

const amd64 = digestOf('debian amd64');
const arm64 = digestOf('debian arm64');
const inputs: Inputs = {
  image: 'python',
  recipe: '1',
  platforms: ['linux/arm64', 'linux/amd64'],
  inputs: [
    {
      role: 'base',
      name: 'docker.io/library/debian:12-slim',
      digest: digestOf('debian'),
      platforms: { 'linux/amd64': amd64, 'linux/arm64': arm64 },
    },
    {
      role: 'input',
      name: 'golden/tools',
      digest: digestOf('tools'),
      platforms: { 'linux/amd64': digestOf('tools amd64') },
    },
  ],
  definition: { 'image.yaml#env': digestOf('env') },
};
const verdict = {
  allowed: true,
  blocked: [],
  warnings: [],
  waived: [],
  checks: ['user', 'secrets'],
  notes: ['better'],
};

describe('provenance', () => {
  const facts = {
    inputs,
    referenceOf: ({ name }: { name: string }) =>
      parseReference(name.startsWith('golden/') ? `127.0.0.1:5000/${name}:1.2.3` : name),
    reasons: [{ kind: 'requested', by: 'eve' }],
    builder: { id: 'https://ci.acme.example/ingot', version: '0.1.0' },
    source: { uri: 'https://user:hunter2@git.acme.example/golden.git', revision: 'a'.repeat(40) },
    invocationId: '01J',
    startedOn: '2026-01-02T03:04:05Z',
  } as const;

  it('says what was built from what, by whom', () => {
    expect(provenanceStatement(facts)).toEqual({
      predicateType: 'https://slsa.dev/provenance/v1',
      predicate: {
        buildDefinition: {
          buildType: 'https://ingot.example/attestations/build/v1',
          externalParameters: {
            image: 'python',
            platforms: ['linux/amd64', 'linux/arm64'],
            definition: { 'image.yaml#env': digestOf('env') },
          },
          internalParameters: {
            recipe: '1',
            inputs: inputsDigest(inputs),
            reasons: [{ kind: 'requested', by: 'eve' }],
          },
          resolvedDependencies: [
            {
              name: 'base',
              uri: 'pkg:docker/debian@12-slim?platform=linux%2Farm64',
              digest: { sha256: arm64.slice(7) },
            },
            {
              name: 'base',
              uri: 'pkg:docker/debian@12-slim?platform=linux%2Famd64',
              digest: { sha256: amd64.slice(7) },
            },
            {
              name: 'input',
              uri: 'pkg:docker/127.0.0.1:5000/golden/tools@1.2.3?platform=linux%2Famd64',
              digest: { sha256: digestOf('tools amd64').slice(7) },
            },
            {
              name: 'definition',
              uri: `git+https://git.acme.example/golden.git@${'a'.repeat(40)}`,
              digest: { gitCommit: 'a'.repeat(40) },
            },
          ],
        },
        runDetails: {
          builder: { id: 'https://ci.acme.example/ingot', version: { ingot: '0.1.0' } },
          metadata: { invocationId: '01J', startedOn: '2026-01-02T03:04:05Z' },
        },
      },
    });
  });

  it('of a platform manifest names only what that platform used', () => {
    const { predicate } = provenanceStatement({ ...facts, platforms: ['linux/amd64'] });

    expect(JSON.stringify(predicate)).not.toContain('arm64');
  });

  it('carries no credential of the source repository', () => {
    const payload = statementPayload(digestOf('x'), provenanceStatement(facts)).toString();

    expect(payload).not.toContain('hunter2');
  });
});

describe('documents', () => {
  it('carries the SPDX document as it is', () => {
    expect(spdxStatement(Buffer.from('{"spdxVersion":"SPDX-2.3"}'))).toEqual({
      predicateType: 'https://spdx.dev/Document',
      predicate: { spdxVersion: 'SPDX-2.3' },
    });
  });

  it('reports a scan in the form that cosign knows as vuln', () => {
    const statement = vulnerabilityStatement({
      scanner: { name: 'grype', version: '0.100.0' },
      database: { id: 'sha256:1', built: '2026-01-01T00:00:00Z' },
      findings: [],
      startedOn: '2026-01-02T00:00:00Z',
      finishedOn: '2026-01-02T00:00:01Z',
    });

    expect(statement).toEqual({
      predicateType: 'https://cosign.sigstore.dev/attestation/vuln/v1',
      predicate: {
        invocation: { parameters: [], uri: '', event_id: '', 'builder.id': '' },
        scanner: {
          uri: 'pkg:generic/grype@0.100.0',
          version: '0.100.0',
          db: { uri: '', version: 'sha256:1', lastUpdate: '2026-01-01T00:00:00Z' },
          result: { findings: [] },
        },
        metadata: { scanStartedOn: '2026-01-02T00:00:00Z', scanFinishedOn: '2026-01-02T00:00:01Z' },
      },
    });
  });
});

describe('verdict', () => {
  const facts = {
    image: 'python',
    version: '3.11.4',
    inputs: inputsDigest(inputs),
    evaluatedAt: '2026-01-02T03:04:05Z',
  };

  it('says why the image was allowed', () => {
    expect(verdictStatement({ ...facts, verdict })).toEqual({
      predicateType: 'https://ingot.example/attestations/verdict/v1',
      predicate: { ...facts, allowed: true, checks: ['user', 'secrets'], warnings: [], waived: [], notes: ['better'] },
    });
  });

  it('that blocks an image is never made, for cosign would take it for a signature', () => {
    expect(() => verdictStatement({ ...facts, verdict: { ...verdict, allowed: false } })).toThrow(/may be signed/);
  });
});
