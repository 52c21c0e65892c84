import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatReference, type Reference, repositoryOf } from '../../src/domain/reference.ts';
import { SIGNATURE, signBundle, statementPayload } from '../../src/signer/bundle.ts';
import { pushBundle } from '../../src/signer/bundle-referrers.ts';
import { createKeySigner, generateKeyPair } from '../../src/signer/key.ts';
import { signatureTag } from '../../src/signer/signer.ts';
import {
  PREDICATE_TYPES,
  spdxStatement,
  verdictStatement,
  vulnerabilityStatement,
} from '../../src/signer/statements.ts';
import { REGISTRIES } from './registries.ts';
import { CREATED, createScene, type PushedImage, pushImage, runOffline, type Scene } from './scene.ts';

const TOOLS = join(import.meta.dirname, '../../.tools/bin');
const NOW = CREATED.createdAt;

/** The judges are other people's programs, without a network: what they accept, consumers accept. */
describe.each(REGISTRIES)('consumers of $name', ({ start }) => {
  let scene: Scene;
  let image: PushedImage;
  beforeAll(async () => {
    scene = await createScene(await start());
    image = await pushImage(scene.registry, scene.repository('released'));
    for (const subject of image.all) await scene.attestor.sign(subject, CREATED);
    for (const subject of image.platforms) {
      await scene.attestor.attest(subject, spdxStatement(Buffer.from('{"spdxVersion":"SPDX-2.3"}')), CREATED);
      await scene.attestor.attest(subject, scan, CREATED);
    }
    await scene.attestor.attest(image.index, verdict, CREATED);
  });
  afterAll(() => scene?.close());

  const cosign = (command: string, subject: Reference, ...flags: string[]) => {
    const common = ['--key', 'ingot.pub', '--insecure-ignore-tlog', '--allow-http-registry'];
    return runOffline(join(TOOLS, 'cosign'), [command, ...common, ...flags, formatReference(subject)], scene.folder);
  };

  describe('cosign', () => {
    it.each(['bundle', 'legacy'])('verifies the %s signature of the index and of each platform', async (format) => {
      for (const subject of image.all) {
        const { exitCode, output } = await cosign('verify', subject, `--new-bundle-format=${format === 'bundle'}`);

        expect(output).toContain('The signatures were verified against the specified public key');
        expect(exitCode).toBe(0);
      }
    });

    it.each([
      ['spdxjson', 1],
      ['vuln', 1],
      [PREDICATE_TYPES.verdict, 0],
    ])('verifies the attestation %s', async (type, position) => {
      const { exitCode, output } = await cosign('verify-attestation', image.all[position]!, '--type', type);

      expect(output).toContain('The signatures were verified against the specified public key');
      expect(exitCode).toBe(0);
    });

    it('refuses an image that is not signed, and one that another key signed', async () => {
      const unsigned = await pushImage(scene.registry, scene.repository('unsigned'));
      const foreign = await pushImage(scene.registry, scene.repository('foreign'));
      await signAs(scene, foreign.index, generateKeyPair().privateKey);

      expect(await cosign('verify', unsigned.index)).toMatchObject({
        output: expect.stringContaining('no signatures found'),
      });
      expect(await cosign('verify', foreign.index)).toMatchObject({
        output: expect.stringContaining('do not match threshold'),
      });
    });

    it('agrees with us that a keyid is refused', async () => {
      const { index } = await pushImage(scene.registry, scene.repository('keyid'));
      await signAs(scene, index, scene.keys.privateKey, (bundle) => {
        bundle.dsseEnvelope.signatures[0].keyid = 'any';
      });

      expect(await cosign('verify', index)).toMatchObject({
        output: expect.stringContaining('do not match threshold'),
      });
      expect(await scene.attestor.verify(index)).toMatchObject({ bundle: 'invalid' });
    });

    it('signs in a way that we read', async () => {
      const { index } = await pushImage(scene.registry, scene.repository('by-cosign'));
      await writeFile(join(scene.folder, 'plain.key'), scene.keys.privateKey);
      await signWithCosign(scene, index);

      expect(await scene.attestor.verify(index)).toMatchObject({ bundle: 'valid', problems: [] });
    });
  });

  describe('podman and skopeo (containers/image)', () => {
    const check = async (repository: Reference, ...platform: string[]) => {
      const [policy, registries] = await writePolicy(scene.folder, repository);
      const reference = `${repositoryOf(repository)}:12`;
      return runOffline(
        join(TOOLS, 'policy-check'),
        ['--insecure', policy, registries, reference, ...platform],
        scene.folder,
      );
    };

    it.each(['linux/amd64', 'linux/arm64'])('accept the image for %s', async (platform) => {
      expect(await check(scene.repository('released'), platform)).toEqual({ exitCode: 0, output: 'accepted\n' });
    });

    it('reject a platform of which only the index is signed', async () => {
      const { index } = await pushImage(scene.registry, scene.repository('index-only'));
      await scene.attestor.sign(index, CREATED);

      const { exitCode, output } = await check(scene.repository('index-only'), 'linux/amd64');

      expect(output).toContain('A signature was required, but no signature exists');
      expect(exitCode).toBe(1);
    });

    it('reject a signature that was copied along from another repository, as we do', async () => {
      const { all } = await pushImage(scene.registry, scene.repository('copied'));
      for (const subject of all) await scene.attestor.sign(subject, CREATED);
      const target = scene.repository('copy');
      const tags = ['12', ...all.map(({ digest }) => signatureTag(digest))];
      for (const tag of tags) await scene.registry.copy({ ...scene.repository('copied'), tag }, { ...target, tag });

      const { exitCode } = await check(target, 'linux/amd64');

      expect(exitCode).toBe(1);
      expect(await scene.attestor.verify({ ...all[1]!, ...target })).toMatchObject({ legacy: 'invalid' });
    });

    it('accept a copy that was signed for its own place as well, and so does cosign', async () => {
      const { all } = await pushImage(scene.registry, scene.repository('replicated'));
      for (const subject of all) await scene.attestor.sign(subject, CREATED);
      const target = scene.repository('replica');
      const tags = ['12', ...all.map(({ digest }) => signatureTag(digest))];
      for (const tag of tags) await scene.registry.copy({ ...scene.repository('replicated'), tag }, { ...target, tag });
      const there = all.map(({ digest }) => ({ ...target, digest }));
      for (const subject of there) await scene.attestor.sign(subject, CREATED);

      expect(await check(target, 'linux/amd64')).toEqual({ exitCode: 0, output: 'accepted\n' });
      for (const subject of there) {
        expect(await cosign('verify', subject, '--new-bundle-format=false')).toMatchObject({ exitCode: 0 });
      }
    });
  });
});

const scan = vulnerabilityStatement({
  scanner: { name: 'grype', version: '0.100.0' },
  database: { id: 'sha256:1', built: NOW },
  findings: [],
  startedOn: NOW,
  finishedOn: NOW,
});

const verdict = verdictStatement({
  image: 'released',
  version: '12.0.0',
  inputs: `sha256:${'0'.repeat(64)}`,
  verdict: { allowed: true, blocked: [], warnings: [], waived: [], checks: ['user'], notes: [] },
  evaluatedAt: NOW,
});

interface EditableBundle {
  dsseEnvelope: { signatures: [{ keyid?: string }] };
}

async function signAs(
  scene: Scene,
  subject: PushedImage['index'],
  pem: string,
  edit: (bundle: EditableBundle) => void = () => {},
) {
  const bytes = await signBundle(statementPayload(subject.digest, SIGNATURE), createKeySigner(pem));
  const bundle = JSON.parse(bytes.toString());
  edit(bundle);
  const about = { ...CREATED, predicateType: SIGNATURE.predicateType };
  await pushBundle(scene.registry, subject, Buffer.from(JSON.stringify(bundle)), about);
}

async function signWithCosign({ folder }: Scene, subject: Reference): Promise<void> {
  const run = async (args: string[]) => {
    const { exitCode, output } = await runOffline('env', ['COSIGN_PASSWORD=', join(TOOLS, 'cosign'), ...args], folder);
    if (exitCode !== 0) throw new Error(output);
  };
  await run(['import-key-pair', '--key', 'plain.key', '--output-key-prefix', 'cosign', '--yes']);
  const flags = [
    '--key',
    'cosign.key',
    '--use-signing-config=false',
    '--tlog-upload=false',
    '--allow-http-registry',
    '--yes',
  ];
  await run(['sign', ...flags, formatReference(subject)]);
}

async function writePolicy(folder: string, repository: Reference): Promise<[string, string]> {
  const name = repositoryOf(repository);
  const [policy, registries] = [join(folder, 'policy.json'), join(folder, 'registries.d')];
  const requirement = {
    type: 'sigstoreSigned',
    keyPath: join(folder, 'ingot.pub'),
    signedIdentity: { type: 'matchRepository' },
  };
  await mkdir(registries, { recursive: true });
  await writeFile(
    policy,
    JSON.stringify({ default: [{ type: 'reject' }], transports: { docker: { [name]: [requirement] } } }),
  );
  await writeFile(join(registries, 'ingot.yaml'), `docker:\n  ${name}:\n    use-sigstore-attachments: true\n`);
  return [policy, registries];
}
