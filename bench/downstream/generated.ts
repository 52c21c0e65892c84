import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const IMAGE = 'registry.acme.example/golden';
const A = `sha256:${'a'.repeat(64)}`;

/** A file with what is in it: `IMAGE:tag`, one entry for each place that names an image. */
export interface Sample {
  readonly path: string;
  readonly text: string;
  readonly pins: readonly string[];
}

/** One of each way to pin that teams use, by construction known in full. */
export const SAMPLES: readonly Sample[] = [
  sample('Dockerfile', `FROM ${IMAGE}/debian:12.4.1@${A}\nRUN true\n`, `${IMAGE}/debian:12.4.1@${A}`),
  sample('build/Dockerfile', `ARG BASE=${IMAGE}/node:22.1.0\nFROM \${BASE} AS build\n`, `${IMAGE}/node:22.1.0`),
  sample(
    'args/Dockerfile',
    `ARG NAME=${IMAGE}/node\nARG VERSION=22.1.0\nFROM \${NAME}:\${VERSION}\n`,
    `${IMAGE}/node:22.1.0`,
  ),
  sample('stages/Dockerfile', `FROM scratch\nCOPY --from=${IMAGE}/tools:1.2.3 /x /x\n`, `${IMAGE}/tools:1.2.3`),
  sample(
    'mounts/Dockerfile',
    `FROM scratch\nRUN --mount=type=bind,from=${IMAGE}/tools:1.2.3,target=/t true\n`,
    `${IMAGE}/tools:1.2.3`,
  ),
  sample(
    'onbuild/Dockerfile',
    `FROM scratch\nONBUILD COPY --from=${IMAGE}/tools:1.2.3 /x /x\n`,
    `${IMAGE}/tools:1.2.3`,
  ),
  sample(
    'heredoc/Dockerfile',
    `FROM ${IMAGE}/debian:12.4.1\nRUN <<X\nFROM ${IMAGE}/none:1\nX\n`,
    `${IMAGE}/debian:12.4.1`,
  ),
  sample('compose.yaml', `services:\n  web:\n    image: ${IMAGE}/node:22.1.0\n`, `${IMAGE}/node:22.1.0`),
  sample(
    'default/compose.yaml',
    `services:\n  web:\n    image: \${WEB:-${IMAGE}/node:22.1.0}\n`,
    `${IMAGE}/node:22.1.0`,
  ),
  sample(
    'args/compose.yaml',
    `services:\n  web:\n    build:\n      context: .\n      args: { BASE: "${IMAGE}/node:22.1.0" }\n`,
    `${IMAGE}/node:22.1.0`,
  ),
  sample(
    'k8s/web.yaml',
    `apiVersion: apps/v1\nkind: Deployment\nspec: { template: { spec: { containers: [{ name: a, image: "${IMAGE}/node:22.1.0" }] } } }\n`,
    `${IMAGE}/node:22.1.0`,
  ),
  sample(
    'k8s/env.yaml',
    `apiVersion: v1\nkind: Pod\nspec:\n  containers:\n    - name: a\n      image: ${IMAGE}/node:22.1.0\n      env: [{ name: RUNNER_IMAGE, value: "${IMAGE}/tools:1.2.3" }]\n`,
    `${IMAGE}/node:22.1.0`,
    `${IMAGE}/tools:1.2.3`,
  ),
  sample('chart/values.yaml', `image:\n  repository: ${IMAGE}/node\n  tag: 22.1.0\n`, `${IMAGE}/node:22.1.0`),
  sample(
    'chart/Chart.yaml',
    `apiVersion: v2\nname: web\nversion: 1.0.0\nannotations:\n  artifacthub.io/images: |\n    - name: web\n      image: ${IMAGE}/node:22.1.0\n`,
    `${IMAGE}/node:22.1.0`,
  ),
  sample(
    'kustomize/kustomization.yaml',
    `images:\n  - name: web\n    newName: ${IMAGE}/node\n    newTag: 22.1.0\n`,
    `${IMAGE}/node:22.1.0`,
  ),
  sample(
    '.github/workflows/ci.yml',
    `on: push\njobs:\n  a:\n    runs-on: x\n    container: ${IMAGE}/node:22.1.0\n    steps: [{ uses: "docker://${IMAGE}/tools:1.2.3" }]\n`,
    `${IMAGE}/node:22.1.0`,
    `${IMAGE}/tools:1.2.3`,
  ),
  sample(
    '.gitlab-ci.yml',
    `variables: { RUNNER: "${IMAGE}/tools:1.2.3" }\na:\n  image: ${IMAGE}/node:22.1.0\n  script: [x]\n`,
    `${IMAGE}/tools:1.2.3`,
    `${IMAGE}/node:22.1.0`,
  ),
  sample(
    '.circleci/config.yml',
    `version: 2.1\njobs:\n  a:\n    docker: [{ image: "${IMAGE}/node:22.1.0" }]\n`,
    `${IMAGE}/node:22.1.0`,
  ),
  sample(
    '.devcontainer/devcontainer.json',
    `{\n  // of the team\n  "image": "${IMAGE}/node:22.1.0"\n}\n`,
    `${IMAGE}/node:22.1.0`,
  ),
  sample('Jenkinsfile', `pipeline { agent { docker { image '${IMAGE}/node:22.1.0' } } }\n`, `${IMAGE}/node:22.1.0`),
  sample(
    'task.yaml',
    `apiVersion: tekton.dev/v1\nkind: Task\nspec: { steps: [{ name: a, image: "${IMAGE}/tools:1.2.3" }] }\n`,
    `${IMAGE}/tools:1.2.3`,
  ),
  sample('main.tf', `resource "docker_image" "a" {\n  name = "${IMAGE}/node:22.1.0"\n}\n`, `${IMAGE}/node:22.1.0`),
  sample('web.container', `[Container]\nImage=${IMAGE}/node:22.1.0\n`, `${IMAGE}/node:22.1.0`),
  sample('Earthfile', `VERSION 0.8\na:\n    FROM ${IMAGE}/node:22.1.0\n`, `${IMAGE}/node:22.1.0`),
  sample(
    'skaffold.yaml',
    `apiVersion: skaffold/v4beta11\nkind: Config\nbuild: { artifacts: [{ image: web, docker: { buildArgs: { BASE: "${IMAGE}/node:22.1.0" } } }] }\n`,
    `${IMAGE}/node:22.1.0`,
  ),
  sample('MODULE.bazel', `oci.pull(name = "a", image = "${IMAGE}/node", digest = "${A}")\n`, `${IMAGE}/node@${A}`),
  sample(
    'project.toml',
    `[_]\nid = "a"\n[io.buildpacks]\nbuilder = "${IMAGE}/builder:1.2.3"\n`,
    `${IMAGE}/builder:1.2.3`,
  ),
];

function sample(path: string, text: string, ...pins: readonly string[]): Sample {
  return { path, text, pins };
}

export async function writeSamples(folder: string): Promise<void> {
  for (const { path, text } of SAMPLES) {
    const target = join(folder, path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, text);
  }
}
