import { describe, expect, it } from 'vitest';
import { buildArgs, commandArgs, connectionArgs, contextName } from '../../src/builder/buildctl-args.ts';
import { digestOf } from '../../src/domain/digest.ts';
import { parseReference } from '../../src/domain/reference.ts';

const DIGEST = digestOf('x');

describe('the name of a named context', () => {
  it.each([
    ['debian', 'debian'],
    ['debian:latest', 'debian'],
    ['docker.io/library/debian:12-slim', 'debian:12-slim'],
    ['index.docker.io/acme/base:1', 'acme/base:1'],
    ['golden/debian', 'golden/debian'],
    ['ghcr.io/acme/base:latest', 'ghcr.io/acme/base'],
    [`docker.io/library/debian:12@${DIGEST}`, `debian:12@${DIGEST}`],
    [`debian:latest@${DIGEST}`, `debian:latest@${DIGEST}`],
  ])('of %s is %s', (written, name) => {
    expect(contextName(written)).toBe(name);
  });
});

describe('buildctl arguments', () => {
  const request = {
    platform: 'linux/arm64',
    ...{ context: '/c', dockerfile: '/d/Dockerfile', epoch: 5, push: parseReference('r.example/staging/a:ignored') },
    pins: { 'debian:12': parseReference(`mirror.example/debian:ignored@${DIGEST}`) },
  } as const;
  const options = {
    address: 'unix:///s',
    dockerfile: { folder: '/d', name: 'Dockerfile' },
    metadataFile: '/m',
    insecure: false,
  };

  it('hand folders over, each under a name of its own', () => {
    const args = buildArgs({ ...request, folders: { 'ingot-lists': '/lists' } }, options);
    const locals = args.filter((_, index) => args[index - 1] === '--local').map((local) => local.split('='));
    const names = new Map(locals.map(([name, folder]) => [folder, name]));

    expect([...names.keys()].sort()).toEqual(['/c', '/d', '/lists']);
    expect(new Set(names.values()).size).toBe(3);
    expect(args).toContain(`dockerfilekey=${names.get('/d')}`);
    expect(args).toContain(`context:ingot-lists=local:${names.get('/lists')}`);
  });

  it('pin inputs and push by digest', () => {
    const args = buildArgs(request, options);

    expect(args).toContain(`context:debian:12=docker-image://mirror.example/debian@${DIGEST}`);
    expect(args.at(-1)).toBe(
      'type=image,name=r.example/staging/a,push=true,push-by-digest=true,name-canonical=true,oci-mediatypes=true,rewrite-timestamp=true',
    );
  });

  it('name files of secrets, also odd ones', () => {
    const args = buildArgs({ ...request, secrets: { token: '/s/a,"b"' } }, options);

    expect(args[args.indexOf('--secret') + 1]).toBe('id=token,"src=/s/a,""b"""');
  });

  it('refuse a pin without digest', () => {
    expect(() => buildArgs({ ...request, pins: { a: parseReference('a:1') } }, options)).toThrow('has no digest');
  });
});

describe('a daemon that asks for certificates', () => {
  const tls = { ca: '/pem/ca.pem', cert: '/pem/cert.pem', key: '/pem/key.pem' };
  const daemon = { address: 'tcp://arm64-builder:1234', tls };

  it('is shown ours before the verb, where buildctl looks for them', () => {
    const files = ['--tlscacert', tls.ca, '--tlscert', tls.cert, '--tlskey', tls.key];

    expect(connectionArgs(daemon)).toEqual(['--addr', daemon.address, ...files]);
    expect(commandArgs('linux/arm64', { ...daemon, folder: '/f' }).slice(0, 9)).toEqual([
      ...connectionArgs(daemon),
      'build',
    ]);
  });
});
