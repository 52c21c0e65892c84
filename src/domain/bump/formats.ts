import { azurePipelinesFormat } from './azure-pipelines.ts';
import { bazelFormat } from './bazel.ts';
import { bitbucketFormat } from './bitbucket.ts';
import { buildpacksFormat } from './buildpacks.ts';
import { circleciFormat } from './circleci.ts';
import { cloudBuildFormat } from './cloud-build.ts';
import { combineFormats } from './combine.ts';
import { composeFormat } from './compose.ts';
import { devcontainerFormat } from './devcontainer.ts';
import { dockerfileFormat } from './dockerfile.ts';
import { droneFormat, woodpeckerFormat } from './drone.ts';
import { earthfileFormat } from './earthfile.ts';
import type { PinFormat } from './format.ts';
import { githubActionsFormat } from './github-actions.ts';
import { gitlabCiFormat } from './gitlab-ci.ts';
import { helmChartFormat } from './helm-chart.ts';
import { helmValuesFormat } from './helm-values.ts';
import { jenkinsfileFormat } from './jenkinsfile.ts';
import { kubernetesFormat } from './kubernetes.ts';
import { kustomizeFormat } from './kustomize.ts';
import { markedFormat } from './marked.ts';
import { otherYamlFormat } from './other-yaml.ts';
import { quadletFormat } from './quadlet.ts';
import { skaffoldFormat } from './skaffold.ts';
import { tektonFormat } from './tekton.ts';
import { terraformFormat } from './terraform.ts';

/** Known by their paths. */
const BY_PATH: readonly PinFormat[] = [
  composeFormat,
  kustomizeFormat,
  helmValuesFormat,
  helmChartFormat,
  githubActionsFormat,
  gitlabCiFormat,
  circleciFormat,
  droneFormat,
  woodpeckerFormat,
  azurePipelinesFormat,
  cloudBuildFormat,
  bitbucketFormat,
  devcontainerFormat,
];

/** Every kind of file in which pins are looked for, without being told. */
export const PIN_FORMATS: readonly PinFormat[] = [
  dockerfileFormat,
  quadletFormat,
  terraformFormat,
  bazelFormat,
  earthfileFormat,
  jenkinsfileFormat,
  buildpacksFormat,
  markedFormat,
  ...BY_PATH,
  kubernetesFormat,
  tektonFormat,
  skaffoldFormat,
  otherYamlFormat(BY_PATH),
];

/**
 * The format of a path, all that fit in one; `undefined` for a file that is not worth reading.
 * @param own formats that a fleet or repository describes for its files
 */
export function formatFor(path: string, own: readonly PinFormat[] = []): PinFormat | undefined {
  const [first, ...more] = [...PIN_FORMATS, ...own].filter((format) => format.isPath(path));
  return first === undefined ? undefined : combineFormats([first, ...more]);
}
