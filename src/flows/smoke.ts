import { type Builder, BuilderError, type BuilderErrorCode } from '../builder/builder.ts';
import type { CommandTest, SmokeTests } from '../domain/fleet/model.ts';
import type { Platform } from '../domain/platform.ts';
import type { Reference } from '../domain/reference.ts';
import { judgeCommand } from '../domain/smoke/command.ts';
import { type Environment, expand, parseEnvironment, withVariables } from '../domain/smoke/environment.ts';
import { judgeContent, judgeExistence } from '../domain/smoke/file.ts';
import { judgeMetadata } from '../domain/smoke/metadata.ts';
import type { ImageConfig, SmokeReport } from '../domain/verdict.ts';
import { readConfig } from '../image/config.ts';
import type { Registry } from '../registry/registry.ts';
import { readImageFiles } from './smoke-files.ts';

export interface SmokeRequest {
  readonly tests: SmokeTests;
  readonly builder: Builder;
  readonly registry: Registry;
  /** A platform manifest, by digest. */
  readonly image: Reference;
  readonly platform: Platform;
  readonly signal?: AbortSignal | undefined;
}

type Result = SmokeReport['results'][number];

/**
 * Runs all smoke tests of one platform as container-structure-test 2.0.0 does: commands in a throw-away build, files
 * and metadata from the image itself, so that an image needs no shell. Two differences: a setup command that fails is
 * a failure, and teardown does not run, since nothing is left to tear down.
 * @throws BuilderError, RegistryError when something could not be asked; a test that fails is a result
 */
export async function runSmoke(request: SmokeRequest): Promise<SmokeReport> {
  const { tests, registry, image, signal } = request;
  const { config } = await readConfig(registry, image, { signal });
  const environment = withVariables(parseEnvironment(config.config.Env), tests.globalEnvVars);
  const [commands, files] = await Promise.all([runCommands(request, environment), checkFiles(request, environment)]);
  return { results: [...commands, ...files, ...checkMetadata(tests, config)] };
}

async function runCommands(request: SmokeRequest, environment: Environment): Promise<Result[]> {
  const results: Result[] = [];
  for (const test of request.tests.commandTests) results.push(await runCommand(request, test, environment));
  return results;
}

async function runCommand(request: SmokeRequest, test: CommandTest, environment: Environment): Promise<Result> {
  const { tests, builder, platform, image, signal } = request;
  const known = withVariables(environment, test.envVars);
  const names = [...tests.globalEnvVars, ...test.envVars].map(({ key }) => key);
  const env = Object.fromEntries(names.map((name) => [name, known[name] ?? '']));
  const argv = [test.command, ...test.args].map((word) => expand(word, known));
  try {
    const outcome = await builder.command({ platform, image, commands: [...test.setup, argv], env, signal });
    return result(test.name, judgeCommand(test, outcome));
  } catch (error) {
    if (error instanceof BuilderError && OWN_FAULT.includes(error.code)) return result(test.name, [error.message]);
    throw error;
  }
}

/** Errors that the test or the image is to blame for. */
const OWN_FAULT: readonly BuilderErrorCode[] = ['timed-out', 'usage', 'build-failed'];

async function checkFiles(
  { tests, registry, image, signal }: SmokeRequest,
  environment: Environment,
): Promise<Result[]> {
  const existence = tests.fileExistenceTests.map((test) => ({ ...test, path: expand(test.path, environment) }));
  const content = tests.fileContentTests.map((test) => ({ ...test, path: expand(test.path, environment) }));
  if (existence.length + content.length === 0) return [];
  const files = await readImageFiles(registry, image, { contents: content.map(({ path }) => path), signal });
  return [
    ...existence.map((test) => result(test.name, judgeExistence(test, files.stat(test.path)))),
    ...content.map((test) => result(test.name, judgeContent(test, files.content(test.path)))),
  ];
}

function checkMetadata({ metadataTest }: SmokeTests, config: ImageConfig): Result[] {
  return metadataTest === undefined ? [] : [result('metadata', judgeMetadata(metadataTest, config))];
}

function result(name: string, mistakes: readonly string[]): Result {
  return mistakes.length === 0 ? { name, passed: true } : { name, passed: false, message: mistakes.join('; ') };
}
