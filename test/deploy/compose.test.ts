import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { exec } from '../../src/lib/exec.ts';
import { installedTool } from '../../src/lib/tool.ts';

const DEPLOY = join(import.meta.dirname, '..', '..', 'deploy');

interface Service {
  readonly image?: string;
  readonly build?: object;
  readonly privileged?: boolean;
  readonly user?: string;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly network_mode?: string;
  readonly ports?: readonly { readonly host_ip?: string }[];
}

async function compose(): Promise<Record<string, Service>> {
  const file = join(DEPLOY, 'compose', 'compose.yaml');
  const { exitCode, stdout, stderr } = await exec(installedTool('compose-check'), [file]);
  expect(stderr).toBe('');
  expect(exitCode).toBe(0);
  return JSON.parse(stdout.toString('utf8')).services;
}

describe('the compose file', () => {
  it('is understood by the parser of Docker Compose', async () => {
    expect(Object.keys(await compose()).sort()).toEqual(['buildkit', 'ingot', 'registry', 'valkey', 'volumes']);
  });

  it('is reachable from this machine alone', async () => {
    const services = Object.entries(await compose());
    const ports = services.flatMap(([, { ports = [] }]) => ports);
    expect(ports.map(({ host_ip }) => host_ip)).toEqual(['127.0.0.1', '127.0.0.1', '127.0.0.1']);
  });

  it('names images of others by digest, and privileges for none', async () => {
    for (const [name, service] of Object.entries(await compose())) {
      if (service.build === undefined) expect(service.image).toMatch(/:[^@]+@sha256:[0-9a-f]{64}$/);
      expect(service.privileged ?? false).toBe(false);
      // Rootless BuildKit needs setuid programs, and writes to its own file system
      if (name !== 'buildkit') expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'] });
    }
  });
});

describe('the Dockerfile', () => {
  it('takes its bases by digest, and does not run as root', async () => {
    const text = await readFile(join(DEPLOY, 'Dockerfile'), 'utf8');
    const bases = text.match(/^ARG \w+_IMAGE=(.*)$/gm) ?? [];
    expect(bases).toHaveLength(2);
    for (const base of bases) expect(base).toMatch(/:[^@]+@sha256:[0-9a-f]{64}$/);
    expect(text.match(/^FROM .*$/gm)?.filter((line) => !/\$\{\w+_IMAGE\}|scratch/.test(line))).toEqual([]);
    expect(text.match(/^USER .*$/gm)).toEqual(['USER 1000:1000']);
  });

  it('copies every folder of sources that the command line imports', async () => {
    const ignored = await readFile(join(DEPLOY, 'Dockerfile.dockerignore'), 'utf8');
    for (const path of ['src', 'workers', 'scripts/ingot.mjs', 'scripts/parts.mjs', 'package-lock.json']) {
      expect(ignored.split('\n')).toContain(`!${path}`);
    }
  });
});
