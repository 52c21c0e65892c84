// Cuts GitHub's own OpenAPI description (npm package @octokit/openapi, MIT) down to what the adapter asks for.
// The whole is 400 MB on disk, so that it is no dependency:
//   npm i --prefix /tmp/description @octokit/openapi && node tools/github-description/trim.mjs /tmp/description
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const REPOSITORY = '/repos/{owner}/{repo}';
const OPERATIONS = {
  [REPOSITORY]: ['get'],
  [`${REPOSITORY}/git/trees/{tree_sha}`]: ['get'],
  [`${REPOSITORY}/git/trees`]: ['post'],
  [`${REPOSITORY}/git/blobs/{file_sha}`]: ['get'],
  [`${REPOSITORY}/git/blobs`]: ['post'],
  [`${REPOSITORY}/git/commits/{commit_sha}`]: ['get'],
  [`${REPOSITORY}/git/commits`]: ['post'],
  [`${REPOSITORY}/git/ref/{ref}`]: ['get'],
  [`${REPOSITORY}/git/refs/{ref}`]: ['delete'],
  [`${REPOSITORY}/compare/{basehead}`]: ['get'],
  [`${REPOSITORY}/commits/{ref}/status`]: ['get'],
  [`${REPOSITORY}/commits/{ref}/check-runs`]: ['get'],
  [`${REPOSITORY}/pulls`]: ['get', 'post'],
  [`${REPOSITORY}/pulls/{pull_number}`]: ['get', 'patch'],
  [`${REPOSITORY}/pulls/{pull_number}/merge`]: ['put'],
  [`${REPOSITORY}/pulls/{pull_number}/requested_reviewers`]: ['post'],
  [`${REPOSITORY}/issues/{issue_number}/labels`]: ['post'],
  [`${REPOSITORY}/issues/{issue_number}/assignees`]: ['post'],
  [`${REPOSITORY}/issues/{issue_number}/comments`]: ['get', 'post'],
  '/orgs/{org}/repos': ['get'],
  '/users/{username}/repos': ['get'],
  '/installation/repositories': ['get'],
  '/orgs/{org}/installation': ['get'],
  '/users/{username}/installation': ['get'],
  '/app/installations/{installation_id}/access_tokens': ['post'],
};

const folder = join(process.argv[2] ?? '.', 'node_modules/@octokit/openapi');
const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
const whole = JSON.parse(readFileSync(join(folder, 'generated/api.github.com.json'), 'utf8'));
const components = {};

/** Without words and samples; what it refers to comes along. */
function trimmed(node, inProperties = false) {
  if (Array.isArray(node)) return node.map((each) => trimmed(each));
  if (node === null || typeof node !== 'object') return node;
  const entries = Object.entries(node).filter(
    ([key]) =>
      inProperties ||
      (!/^(description|summary|example|examples|externalDocs|tags|title|links)$/.test(key) && !key.startsWith('x-')),
  );
  if (typeof node.$ref === 'string') keep(node.$ref);
  return Object.fromEntries(
    entries.map(([key, value]) => [key, trimmed(value, key === 'properties' && !inProperties)]),
  );
}

function keep(reference) {
  const [, , kind, name] = reference.split('/');
  if (kind === 'examples') return;
  components[kind] ??= {};
  if (components[kind][name] !== undefined) return;
  components[kind][name] = {}; // they refer to each other in circles
  components[kind][name] = trimmed(whole.components[kind][name]);
}

const paths = Object.fromEntries(
  Object.entries(OPERATIONS).map(([path, methods]) => {
    if (whole.paths[path] === undefined) throw new Error(`the description has no ${path}`);
    return [path, Object.fromEntries(methods.map((method) => [method, trimmed(whole.paths[path][method])]))];
  }),
);
const result = {
  openapi: whole.openapi,
  info: { title: 'GitHub', version: `@octokit/openapi ${version}` },
  paths,
  components,
};
const target = join(import.meta.dirname, '../../test/fixtures/github-openapi.json');
writeFileSync(target, `${JSON.stringify(result)}\n`);
console.log(`${target}: ${Math.round(JSON.stringify(result).length / 1024)} KiB`);
