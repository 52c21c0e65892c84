import { createDataFormat, type DataPlace, rule } from './data/data-format.ts';
import { assignments, dockerImageUri, dockerUri, image, imageOr, imageValue } from './data/images.ts';
import { childAt, type DataScalar, nodesAt } from './data/tree.ts';
import type { DataLookup } from './data/variables.ts';

const FOLDERS = /(?:^|\/)(?:workflow-templates|\.(?:github|gitea|forgejo)\/(?:workflows|actions))\/.+\.ya?ml$/;

/** Workflows and actions of GitHub, Gitea and Forgejo. */
export const githubActionsFormat = createDataFormat({
  id: 'github-actions',
  isPath: (path) => FOLDERS.test(path) || /(?:^|\/)action\.ya?ml$/.test(path),
  rules: [
    rule('jobs.*.container', imageOr('image')),
    rule('jobs.*.services.*.image', image),
    rule('**.uses', dockerUri),
    rule('runs.image', dockerUri),
    rule('**.with.image', imageValue),
    rule('**.with.build-args', assignments(imageValue)),
    rule('**.with.build-contexts', assignments(dockerImageUri)),
  ],
  variables,
});

/** What a matrix gives, and defaults of inputs; all else is known only when it runs. */
function variables({ path, root }: DataPlace): DataLookup {
  const job = childAt(root, 'jobs', path[1] ?? '');
  return (name) => {
    const [context, ...keys] = name.split('.');
    if (context === 'inputs' && keys.length === 1) {
      return ['workflow_dispatch', 'workflow_call']
        .flatMap((event) => childAt(root, 'on', event, 'inputs', keys[0]!, 'default') ?? [])
        .concat(childAt(root, 'inputs', keys[0]!, 'default') ?? [])
        .filter((node): node is DataScalar => node.kind === 'scalar');
    }
    if (context !== 'matrix' || job === undefined) return undefined;
    const matrix = childAt(job, 'strategy', 'matrix');
    const [first, ...more] = keys;
    const values = [...nodesAt(matrix, `${first}.*`), ...nodesAt(matrix, `include.*.${first}`)];
    const found = values.map((value) => childAt(value, ...more));
    return found.filter((node): node is DataScalar => node?.kind === 'scalar');
  };
}
