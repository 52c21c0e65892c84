import type { MetadataTest } from '../fleet/model.ts';
import type { ImageConfig } from '../verdict.ts';
import { parseEnvironment } from './environment.ts';
import { matches } from './pattern.ts';
import { mismatch, quote } from './words.ts';

/** What is wrong with an image's config, each in a line; empty: passed. */
export function judgeMetadata(test: MetadataTest, { config }: Pick<ImageConfig, 'config'>): readonly string[] {
  const environment = parseEnvironment(config.Env);
  return [
    ...test.envVars.flatMap((expected) => judgeValue('variable', expected, environment)),
    ...test.unboundEnvVars
      .filter((name) => Object.hasOwn(environment, name))
      .map((name) => mismatch(`variable ${name}`, 'it unset', quote(environment[name]!))),
    ...test.labels.flatMap((expected) => judgeValue('label', expected, config.Labels ?? {})),
    ...judgeArgv('entrypoint', test.entrypoint, config.Entrypoint),
    ...judgeArgv('cmd', test.cmd, config.Cmd),
    ...judgeText('workdir', test.workdir, config.WorkingDir || '/'),
    ...judgeText('user', test.user, config.User ?? ''),
    ...judgeNames('port', test.exposedPorts, test.unexposedPorts, portNames(config.ExposedPorts)),
    ...judgeNames('volume', test.volumes, test.unmountedVolumes, Object.keys(config.Volumes ?? {})),
  ];
}

interface ExpectedValue {
  readonly key: string;
  readonly value: string;
  readonly isRegex: boolean;
}

function judgeValue(kind: string, { key, value, isRegex }: ExpectedValue, values: Readonly<Record<string, string>>) {
  const got = Object.hasOwn(values, key) ? values[key] : undefined;
  const expected = isRegex ? `a match of ${quote(value)}` : quote(value);
  if (got === undefined) return [mismatch(`${kind} ${key}`, expected, 'none')];
  return (isRegex ? matches(value, got) : value === got) ? [] : [mismatch(`${kind} ${key}`, expected, quote(got))];
}

function judgeArgv(what: string, expected: readonly string[] | undefined, got: readonly string[] = []) {
  if (expected === undefined || JSON.stringify(expected) === JSON.stringify(got)) return [];
  return [mismatch(what, JSON.stringify(expected), JSON.stringify(got))];
}

function judgeText(what: string, expected: string | undefined, got: string) {
  return expected === undefined || expected === got ? [] : [mismatch(what, quote(expected), quote(got))];
}

function judgeNames(kind: string, expected: readonly string[], excluded: readonly string[], got: readonly string[]) {
  const shown = got.length === 0 ? 'none' : got.join(', ');
  return [
    ...expected.filter((name) => !got.includes(name)).map((name) => mismatch(`${kind} ${name}`, 'it declared', shown)),
    ...excluded.filter((name) => got.includes(name)).map((name) => mismatch(`${kind} ${name}`, 'it undeclared', shown)),
  ];
}

/** `8080/tcp` goes by `8080` as well. */
function portNames(ports: Readonly<Record<string, unknown>> = {}): string[] {
  return Object.keys(ports).flatMap((port) =>
    port.includes('/') ? [port, port.split('/')[0]!] : [port, `${port}/tcp`],
  );
}
