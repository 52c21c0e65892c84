import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { ImageChange } from '../../../src/domain/bump/format.ts';
import { formatFor, PIN_FORMATS } from '../../../src/domain/bump/formats.ts';
import type { Digest } from '../../../src/domain/digest.ts';

const digest = (letter: string): Digest => `sha256:${letter.repeat(64)}`;
const repository = 'registry.example.org/golden/debian';
const forward: ImageChange = { repository, line: '12', version: '12.0.1', digest: digest('b'), channels: ['stable'] };
const backward: ImageChange = { ...forward, version: '12.0.0', digest: digest('a'), back: true };

const testdata = new URL('testdata/', import.meta.url);
const cases = PIN_FORMATS.flatMap((format) =>
  readdirSync(new URL(`${format.id}/`, testdata)).map((name) => {
    const read = (file: string) => readFileSync(new URL(`${format.id}/${name}/${file}`, testdata));
    const report = JSON.parse(read('report.json').toString()) as { left: [number, string][]; current: number[] };
    return { name: `${format.id}: ${name}`, format, before: read('before'), after: read('after'), report };
  }),
);

describe.each(cases)('$name', ({ format, before, after, report }) => {
  test('moves the pins and nothing else', () => {
    const { content } = format.bump(before, forward);

    expect(Buffer.from(content).toString()).toBe(after.toString());
    expect(Buffer.compare(content, after)).toBe(0);
  });

  test('reports what it left alone, and what needs nothing', () => {
    const { left, current } = format.bump(before, forward);

    expect(left.map(({ line, reason }) => [line, reason])).toEqual(report.left);
    expect(current.map(({ line }) => line)).toEqual(report.current);
  });

  test('is done after the first time', () => {
    const again = format.bump(after, forward);

    expect(Buffer.compare(again.content, after)).toBe(0);
    expect(again.pins).toEqual([]);
  });

  test('can be taken back to the same bytes', () => {
    // Going back moves what was ahead, and what was there already.
    if (report.current.length > 0 || report.left.some(([, reason]) => reason === 'ahead')) return;

    expect(Buffer.compare(format.bump(after, backward).content, before)).toBe(0);
  });

  test('finds all that it moves', () => {
    const { pins, left, current } = format.bump(before, forward);
    const found = format.findPins(before, [repository]);

    expect(found.length).toBeGreaterThanOrEqual(pins.length + current.length - left.length);
    if (pins.length > 0) expect(found.length).toBeGreaterThan(0);
  });
});

test.each([
  ['Dockerfile', 'dockerfile'],
  ['deploy/shop.container', 'quadlet'],
  ['shop.image', 'quadlet'],
  ['data.volume', 'quadlet'],
  ['infra/main.tf', 'terraform'],
  ['infra/main.tofu', 'terraform'],
  ['MODULE.bazel', 'bazel'],
  ['x/WORKSPACE', 'bazel'],
  ['WORKSPACE.bzlmod', 'bazel'],
  ['tools/images.bzl', 'bazel'],
  ['Earthfile', 'earthfile'],
  ['Jenkinsfile', 'jenkinsfile'],
  ['ci/Jenkinsfile.release', 'jenkinsfile'],
  ['project.toml', 'buildpacks+marked'],
  ['Makefile', 'marked'],
  ['build/common.mk', 'marked'],
  ['scripts/run.sh', 'marked'],
  ['.env', 'marked'],
  ['compose.yaml', 'compose+kubernetes+tekton+skaffold'],
  ['deploy/docker-compose.prod.yml', 'compose+kubernetes+tekton+skaffold'],
  ['docker-stack.yml', 'compose+kubernetes+tekton+skaffold'],
  ['deploy/web.yaml', 'kubernetes+tekton+skaffold+other-yaml'],
  ['chart/templates/web.yaml', 'kubernetes+tekton+skaffold+other-yaml'],
  ['k8s/pod.json', 'kubernetes'],
  ['web.yaml.tmpl', 'kubernetes'],
  ['overlays/prod/kustomization.yaml', 'kustomize+kubernetes+tekton+skaffold'],
  ['chart/values.yaml', 'helm-values+kubernetes+tekton+skaffold'],
  ['values-prod.yml', 'helm-values+kubernetes+tekton+skaffold'],
  ['chart/Chart.yaml', 'helm-chart+kubernetes+tekton+skaffold'],
  ['.github/workflows/ci.yml', 'github-actions+kubernetes+tekton+skaffold'],
  ['.forgejo/workflows/ci.yml', 'github-actions+kubernetes+tekton+skaffold'],
  ['tool/action.yml', 'github-actions+kubernetes+tekton+skaffold'],
  ['.gitlab-ci.yml', 'gitlab-ci+kubernetes+tekton+skaffold'],
  ['.gitlab/ci/build.yml', 'gitlab-ci+kubernetes+tekton+skaffold'],
  ['.circleci/config.yml', 'circleci+kubernetes+tekton+skaffold'],
  ['.drone.yml', 'drone+kubernetes+tekton+skaffold'],
  ['.woodpecker/build.yaml', 'woodpecker+kubernetes+tekton+skaffold'],
  ['azure-pipelines.yml', 'azure-pipelines+kubernetes+tekton+skaffold'],
  ['cloudbuild.yaml', 'cloud-build+kubernetes+tekton+skaffold'],
  ['bitbucket-pipelines.yml', 'bitbucket+kubernetes+tekton+skaffold'],
  ['.devcontainer/devcontainer.json', 'devcontainer'],
  ['.devcontainer.json', 'devcontainer'],
  ['.devcontainer/go/devcontainer.json', 'devcontainer'],
  ['photo.png', undefined],
  ['package-lock.json', undefined],
  ['.terraform.lock.hcl', undefined],
])('%s is read as %s', (path, id) => {
  expect(formatFor(path)?.id).toBe(id);
});
