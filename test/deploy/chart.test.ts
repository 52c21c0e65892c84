import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { exec } from '../../src/lib/exec.ts';
import { installedTool } from '../../src/lib/tool.ts';

const CHART = join(import.meta.dirname, '..', '..', 'deploy', 'helm', 'ingot');
const DIGEST = `sha256:${'a'.repeat(64)}`;
const LEAST = {
  image: { repository: 'ghcr.io/acme/ingot', digest: DIGEST },
  fleet: { source: 'git+https://git.acme.example/golden.git#main' },
  secrets: { redis: { name: 'redis' }, signingKey: { name: 'signing' } },
};

// biome-ignore lint/suspicious/noExplicitAny: manifests of Kubernetes, whose types are not ours
type Manifest = any;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-chart-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function helm(verb: string[], values: object) {
  const file = join(folder, 'values.json');
  await writeFile(file, JSON.stringify(values));
  return exec(installedTool('helm'), [...verb, CHART, '--values', file, '--kube-version', '1.31.0'], {
    env: { HELM_CACHE_HOME: folder, HELM_CONFIG_HOME: folder, HELM_DATA_HOME: folder },
  });
}

async function render(values: object): Promise<Manifest[]> {
  const { exitCode, stdout, stderr } = await helm(['template', 'acme', '--namespace', 'golden'], values);
  expect(stderr).toBe('');
  expect(exitCode).toBe(0);
  return parseAllDocuments(stdout.toString('utf8'))
    .map((document) => document.toJS())
    .filter(Boolean);
}

const podsOf = (manifests: Manifest[]): Manifest[] =>
  manifests.filter(({ kind }) => kind === 'Deployment' || kind === 'StatefulSet');
const named = (manifests: Manifest[], kind: string, name: string) =>
  manifests.find((manifest) => manifest.kind === kind && manifest.metadata.name === name);

describe('the Helm chart', () => {
  it('passes helm lint', async () => {
    const { exitCode, stdout } = await helm(['lint', '--strict'], LEAST);
    expect(stdout.toString('utf8')).toContain('0 chart(s) failed');
    expect(exitCode).toBe(0);
  });

  it('has a Deployment for each role', async () => {
    const manifests = await render(LEAST);
    const args = Object.fromEntries(
      podsOf(manifests).map(({ metadata, spec }) => [metadata.name, spec.template.spec.containers[0].args.join(' ')]),
    );
    expect(args).toEqual({
      'acme-ingot-serve': `serve --no-workers --fleet ${LEAST.fleet.source} --listen 0.0.0.0:8080 --grace 25`,
      'acme-ingot-build-amd64': 'worker --roles build --concurrency 2 --grace 300 --platforms linux/amd64',
      'acme-ingot-build-arm64': 'worker --roles build --concurrency 2 --grace 300 --platforms linux/arm64',
      'acme-ingot-release': 'worker --roles release,propose --concurrency 1 --grace 300',
    });
  });

  it('gives no process of ours rights, a token of the cluster or a root file system to write to', async () => {
    for (const { spec } of podsOf(await render(LEAST))) {
      const pod = spec.template.spec;
      expect(pod).toMatchObject({
        automountServiceAccountToken: false,
        securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
      });
      const [container] = pod.containers;
      expect(container.image).toBe(`ghcr.io/acme/ingot@${DIGEST}`);
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      const grace = Number(container.args[container.args.indexOf('--grace') + 1]);
      expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(grace);
    }
  });

  it('mounts the signing key where releases are signed and planned, and nowhere else', async () => {
    const holders = podsOf(await render(LEAST)).filter(({ spec }) =>
      spec.template.spec.volumes.some(({ name }: { name: string }) => name === 'signing'),
    );
    expect(holders.map(({ metadata }) => metadata.name).sort()).toEqual(['acme-ingot-release', 'acme-ingot-serve']);
  });

  it('scales each worker by the queues it takes from', async () => {
    const autoscaling = { enabled: true, prometheus: 'http://prometheus:9090', labels: 'namespace="golden"' };
    const manifests = await render({ ...LEAST, autoscaling });
    const scaled = named(manifests, 'ScaledObject', 'acme-ingot-build-arm64');
    expect(scaled.spec.triggers[0].metadata).toEqual({
      serverAddress: 'http://prometheus:9090',
      threshold: '2',
      query:
        'sum(max by (queue, state) (ingot_queue_jobs{queue=~"build-linux-arm64",state=~"waiting|running",namespace="golden"}))',
    });
    expect(named(manifests, 'Deployment', 'acme-ingot-build-arm64').spec).not.toHaveProperty('replicas');
    expect(named(manifests, 'ScaledObject', 'acme-ingot-release')).toBeUndefined();
    expect(named(manifests, 'Deployment', 'acme-ingot-release').spec.replicas).toBe(1);
  });

  it('denies all traffic but what its policies name', async () => {
    const manifests = await render(LEAST);
    const policy = named(manifests, 'NetworkPolicy', 'acme-ingot-default').spec;
    expect(policy.policyTypes).toEqual(['Ingress', 'Egress']);
    expect(policy.ingress).toEqual([]);
    const labels = podsOf(manifests).map(({ spec }) => spec.template.metadata.labels);
    for (const each of labels) expect(each).toMatchObject(policy.podSelector.matchLabels);
    expect(named(manifests, 'NetworkPolicy', 'acme-ingot-api').spec.ingress).toEqual([
      { ports: [{ port: 'http' }], from: [{ podSelector: {} }] },
    ]);
  });

  it('runs a rootless BuildKit with certificates on nodes of each platform, when asked to', async () => {
    const manifests = await render({
      ...LEAST,
      secrets: { ...LEAST.secrets, builders: { name: 'clients' } },
      buildkit: { enabled: true, tlsSecret: 'server', platforms: { arm64: { replicas: 2 } } },
    });
    const { replicas, template } = named(manifests, 'StatefulSet', 'acme-ingot-buildkit-arm64').spec;
    expect(replicas).toBe(2);
    expect(template.spec.nodeSelector).toEqual({ 'kubernetes.io/arch': 'arm64' });
    expect(template.spec.containers[0].args).toContain('--tlscacert=/certs/ca.pem');
    expect(template.spec.containers[0].image).toMatch(/-rootless@sha256:[0-9a-f]{64}$/);
  });

  it('says everything that is missing at once, with what to do', async () => {
    const { exitCode, stderr } = await helm(['template', 'acme'], { autoscaling: { enabled: true } });
    expect(exitCode).not.toBe(0);
    for (const key of [
      'image.repository',
      'image.digest',
      'fleet.source',
      'secrets.redis.name',
      'secrets.signingKey',
    ]) {
      expect(stderr).toContain(`${key}`);
    }
    expect(stderr).toContain('autoscaling.prometheus is empty, and workers.build-amd64 scales by it');
  });

  it('refuses keys and values that it does not know', async () => {
    const wrong = { ...LEAST, replicas: 3, workers: { fast: { roles: ['bild'] } } };
    const { exitCode, stderr } = await helm(['template', 'acme'], wrong);
    expect(exitCode).not.toBe(0);
    expect(stderr).toMatch(/replicas/);
    expect(stderr).toMatch(/workers/);
  });
});
