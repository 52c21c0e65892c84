import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifyCommand } from '../../src/commands/verify.ts';
import { formatReference } from '../../src/domain/reference.ts';
import { generateKeyPair } from '../../src/signer/key.ts';
import { spdxStatement } from '../../src/signer/statements.ts';
import { REGISTRIES } from '../signer/registries.ts';
import { CREATED, createScene, type PushedImage, pushImage, runOffline, type Scene } from '../signer/scene.ts';

let scene: Scene;
let image: PushedImage;
beforeAll(async () => {
  scene = await createScene(await REGISTRIES[0]!.start());
  image = await pushImage(scene.registry, scene.repository('debian'));
  for (const subject of image.all) await scene.attestor.sign(subject, CREATED);
  await scene.attestor.attest(image.platforms[0]!, spdxStatement(Buffer.from('{}')), CREATED);
});
afterAll(() => scene?.close());

async function run(reference: string, options: Partial<Parameters<typeof verifyCommand>[1]> = {}) {
  const lines: string[] = [];
  const { registry, attestor } = scene;
  const code = await verifyCommand(reference, { registry, attestor, print: (line) => lines.push(line), ...options });
  return { code, text: lines.join('\n') };
}

const tagged = (name: string) => formatReference({ ...scene.repository(name), tag: '12' });

describe('ingot verify', () => {
  it('shows index and platforms, and what is attested about each', async () => {
    const { code, text } = await run(tagged('debian'));

    expect(code).toBe(0);
    expect(text).toMatch(/^ index +[0-9a-f]{12} +valid +valid$/m);
    expect(text).toMatch(/^ linux\/amd64 +[0-9a-f]{12} +valid +valid +spdx$/m);
    expect(text).toMatch(/^ linux\/arm64 +[0-9a-f]{12} +valid +valid$/m);
    expect(text).toContain('is signed, on every platform');
  });

  it('fails when one platform is not signed, and says which', async () => {
    const { index, platforms } = await pushImage(scene.registry, scene.repository('half'));
    for (const subject of [index, platforms[0]!]) await scene.attestor.sign(subject, CREATED);

    const { code, text } = await run(tagged('half'));

    expect(code).toBe(1);
    expect(text).toMatch(/^ linux\/arm64 +[0-9a-f]{12} +missing +missing$/m);
    expect(text).toContain('NOT fully signed');
  });

  it('fails with the key of somebody else', async () => {
    const { code, text } = await run(tagged('debian'), { publicKey: generateKeyPair().publicKey });

    expect(code).toBe(1);
    expect(text).toMatch(/^linux\/arm64: bundle [0-9a-f]{12} was made with another key/m);
  });

  it('takes a platform manifest by digest', async () => {
    const { code, text } = await run(formatReference(image.platforms[1]!));

    expect(code).toBe(0);
    expect(text).toMatch(/^ image +[0-9a-f]{12} +valid +valid/m);
  });

  it('prints JSON with whole digests and predicate types', async () => {
    const { code, text } = await run(tagged('debian'), { json: true });

    expect(code).toBe(0);
    expect(JSON.parse(text)).toMatchObject({
      reference: tagged('debian'),
      valid: true,
      manifests: [
        { digest: image.index.digest, bundle: 'valid', legacy: 'valid' },
        { platform: 'linux/amd64', digest: image.platforms[0]!.digest, attestations: ['https://spdx.dev/Document'] },
        { platform: 'linux/arm64' },
      ],
    });
  });

  it('tells absent from unknown: 1 for an image that is not there, 4 for a registry that cannot be asked', async () => {
    const absent = await run(tagged('absent'));
    const unknown = await run('127.0.0.1:9/golden/debian:12');

    expect(absent).toEqual({ code: 1, text: `${tagged('absent')} is not in the registry` });
    expect(unknown.code).toBe(4);
    expect(unknown.text).toMatch(/could not be verified/);
  });

  it('explains itself in commands that another tool runs as they stand', async () => {
    const { text } = await run(tagged('debian'), { explain: true, http: true, keyFile: 'ingot.pub' });

    const command = text.split('\n').find((line) => line.startsWith('cosign verify '))!;
    const policy = JSON.parse(/^\{$[\s\S]*?^\}$/m.exec(text)![0]);
    const name = formatReference(scene.repository('debian'));
    const cosign = join(import.meta.dirname, '../../.tools/bin/cosign');
    const { exitCode } = await runOffline(cosign, command.split(' ').slice(1), scene.folder);
    expect(exitCode).toBe(0);
    expect(policy.transports.docker[name][0].type).toBe('sigstoreSigned');
    expect(text).toContain(`docker:\n  ${name}:\n    use-sigstore-attachments: true`);
  });

  it('explains a policy that containers/image enforces as it stands', async () => {
    const { text } = await run(tagged('debian'), { explain: true, http: true });
    const policy = /^\{$[\s\S]*?^\}$/m.exec(text)![0].replace('/etc/containers', scene.folder);
    const registries = /^docker:\n.*\n.*$/m.exec(text)![0];
    await writeFile(join(scene.folder, 'policy.json'), policy);
    await writeFile(join(scene.folder, 'ingot.yaml'), registries);

    const check = join(import.meta.dirname, '../../.tools/bin/policy-check');
    const args = ['--insecure', 'policy.json', scene.folder, tagged('debian'), 'linux/arm64'];
    const { output } = await runOffline(check, args, scene.folder);

    expect(output).toBe('accepted\n');
  });
});
