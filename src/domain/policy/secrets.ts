import type { ImageConfig, PolicyFinding } from '../verdict.ts';
import type { PolicyCheck } from './check.ts';
import { isSecretVariable, secretsIn } from './secret-patterns.ts';

/** No secret in ENV, labels or history, which anybody who can pull can read. A message never holds the value. */
export const secretsCheck: PolicyCheck = {
  id: 'secrets',
  run: ({ platforms }, { secrets: level }) =>
    level === 'off'
      ? []
      : platforms.flatMap(({ platform, config }) =>
          [...new Set(findSecrets(config))].map(
            (message): PolicyFinding => ({ check: 'secrets', level, platform, subject: 'secrets', message }),
          ),
        ),
};

function findSecrets({ config, history }: ImageConfig): string[] {
  const env = (config.Env ?? []).flatMap((entry) => {
    const [name, value] = splitAtEquals(entry);
    return inVariable(name, value, `the environment variable ${name}`);
  });
  const labels = Object.entries(config.Labels ?? {}).flatMap(([name, value]) =>
    secretsIn(value).map((what) => `the label ${name} holds ${what}`),
  );
  const commands = history.flatMap(({ created_by: command = '' }, index) => inCommand(command, index + 1));
  const start = [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])].join(' ');
  return [...env, ...labels, ...commands, ...secretsIn(start).map((what) => `the entrypoint or command holds ${what}`)];
}

function inVariable(name: string, value: string, place: string): string[] {
  const found = secretsIn(value).map((what) => `${place} holds ${what}`);
  if (found.length > 0) return found;
  return isSecretVariable(name, value) ? [`${place} has the name of a secret, and a value`] : [];
}

function inCommand(command: string, number: number): string[] {
  const place = `step ${number} of the history`;
  const variables = variablesOf(command).flatMap(([name, value]) =>
    inVariable(name, value, `${place}, variable ${name},`),
  );
  if (variables.length > 0) return variables;
  return secretsIn(command).map((what) => `${place} holds ${what}`);
}

/** `ENV A=b`, `ARG A=b`, and the build arguments that Docker writes before a command: `|2 A=b C=d /bin/sh -c …`. */
function variablesOf(command: string): (readonly [string, string])[] {
  const declared = /^(?:\/bin\/sh -c #\(nop\)\s+)?(?:ENV|ARG)\s+(.*)$/is.exec(command)?.[1];
  const passed = /^(?:RUN )?\|\d+ (.*?)(?=\/bin\/|$)/s.exec(command)?.[1];
  const words = (declared ?? passed ?? '').match(/[A-Za-z_][A-Za-z0-9_]*=(?:"[^"]*"|'[^']*'|\S*)/g) ?? [];
  return words.map(splitAtEquals).map(([name, value]) => [name, value.replace(/^["']|["']$/g, '')] as const);
}

function splitAtEquals(text: string): [string, string] {
  const equals = text.indexOf('=');
  return equals === -1 ? [text, ''] : [text.slice(0, equals), text.slice(equals + 1)];
}
