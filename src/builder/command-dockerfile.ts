import { formatReference } from '../domain/reference.ts';
import { BuilderError, type CommandRequest } from './builder.ts';

/**
 * A Dockerfile that runs commands in an image as its own user and environment: exec form, so that no shell is needed
 * and nothing is expanded.
 * @throws BuilderError `usage` for what a Dockerfile cannot say
 */
export function commandDockerfile({
  image,
  commands,
  env,
}: Pick<CommandRequest, 'image' | 'commands' | 'env'>): string {
  const lines = [
    `FROM ${formatReference(image)}`,
    ...Object.entries(env).map(([name, value]) => envLine(name, value)),
    ...commands.map((argv) => `RUN --network=none ${JSON.stringify(argv)}`),
  ];
  return `${lines.join('\n')}\n`;
}

function envLine(name: string, value: string): string {
  if (!/^[A-Za-z_][A-Za-z0-9_.-]*$/.test(name))
    throw new BuilderError(`"${name}" is no name for an environment variable`, { code: 'usage' });
  if (/[\r\n]/.test(value))
    throw new BuilderError(`the environment variable ${name} has a line break, which a build cannot set`, {
      code: 'usage',
    });
  return `ENV ${name}="${value.replace(/[\\"$]/g, '\\$&')}"`;
}
