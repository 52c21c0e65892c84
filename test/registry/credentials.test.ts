import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { createDockerCredentials } from '../../src/registry/credentials.ts';

let folder: string;
let path: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-docker-'));
  path = join(folder, 'config.json');
  vi.stubEnv('PATH', `${folder}:${process.env.PATH}`);
});
afterEach(() => rm(path, { force: true }));
afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

const find = async (registry: string, config: unknown) => {
  await writeFile(path, typeof config === 'string' ? config : JSON.stringify(config));
  return createDockerCredentials({ path }).find(registry);
};
const encoded = (text: string) => Buffer.from(text).toString('base64');

test('there are none without a file', async () => {
  expect(await createDockerCredentials({ path }).find('ghcr.io')).toBeUndefined();
});

test('are found by host, and may hold colons', async () => {
  const auths = { 'ghcr.io': { auth: encoded('bob:a:b') }, 'other.example': { auth: encoded('eve:x') } };

  expect(await find('ghcr.io', { auths })).toEqual({ username: 'bob', password: 'a:b' });
  expect(await find('third.example', { auths })).toBeUndefined();
});

test('of Docker Hub are under its old address', async () => {
  const auths = { 'https://index.docker.io/v1/': { auth: encoded('bob:secret') } };

  expect(await find('docker.io', { auths })).toEqual({ username: 'bob', password: 'secret' });
});

test('may be an identity token', async () => {
  const auths = { 'acr.example': { auth: encoded('00000000:'), identitytoken: 'refresh' } };

  expect(await find('acr.example', { auths })).toEqual({ identityToken: 'refresh' });
});

test('an empty entry is none: docker login leaves one beside its store', async () => {
  expect(await find('ghcr.io', { auths: { 'ghcr.io': {} } })).toBeUndefined();
});

test('come from the helper of the host, else from the store, else from the file', async () => {
  await helper('one', { 'ecr.example': { Username: 'AWS', Secret: 'from-one' } });
  await helper('two', { 'ghcr.io': { Username: '<token>', Secret: 'from-two' } });
  const config = {
    auths: { 'file.example': { auth: encoded('bob:from-file') } },
    credHelpers: { 'ecr.example': 'one' },
    credsStore: 'two',
  };

  expect(await find('ecr.example', config)).toEqual({ username: 'AWS', password: 'from-one' });
  expect(await find('ghcr.io', config)).toEqual({ identityToken: 'from-two' });
  expect(await find('file.example', config)).toEqual({ username: 'bob', password: 'from-file' });
});

test('a helper knows who this machine is in a cloud, and no other secret', async () => {
  vi.stubEnv('AWS_WEB_IDENTITY_TOKEN_FILE', '/var/run/token');
  vi.stubEnv('FORGE_TOKEN', 'not-its-business');
  const answer = `printf '{"Username":"%s","Secret":"%s"}' "$AWS_WEB_IDENTITY_TOKEN_FILE" "\${FORGE_TOKEN-none}"`;
  await writeFile(join(folder, 'docker-credential-cloud'), `#!/bin/sh\n${answer}\n`, { mode: 0o755 });

  const found = await find('ecr.example', { credHelpers: { 'ecr.example': 'cloud' } });

  expect(found).toEqual({ username: '/var/run/token', password: 'none' });
});

test('a helper that fails is an error, not the absence of credentials', async () => {
  await writeFile(join(folder, 'docker-credential-broken'), '#!/bin/sh\necho "locked: password=hunter22"; exit 1\n');
  await chmod(join(folder, 'docker-credential-broken'), 0o755);

  const error = await find('ghcr.io', { credsStore: 'broken' }).catch((caught: Error) => caught);

  expect(error).toMatchObject({ code: 'unauthorised' });
  expect((error as Error).message).not.toContain('hunter22');
});

test('a file that is none is an error that quotes nothing of it', async () => {
  const error = await find('ghcr.io', '{"auths": {"ghcr.io": {"auth": "c2VjcmV0"').catch((caught: Error) => caught);

  expect(error).toMatchObject({ code: 'configuration' });
  expect(`${(error as Error).message} ${(error as Error).cause}`).not.toContain('c2VjcmV0');
});

/** A credential helper that knows some hosts. */
async function helper(name: string, known: Record<string, { Username: string; Secret: string }>): Promise<void> {
  const cases = Object.entries(known).map(([host, answer]) => `'${host}') echo '${JSON.stringify(answer)}';;`);
  const otherwise = `*) echo 'credentials not found in native keychain'; exit 1;;`;
  const script = `#!/bin/sh\nread -r host\ncase "$host" in ${cases.join(' ')} ${otherwise} esac\n`;
  await writeFile(join(folder, `docker-credential-${name}`), script);
  await chmod(join(folder, `docker-credential-${name}`), 0o755);
}
