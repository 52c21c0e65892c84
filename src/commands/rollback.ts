import type { App } from '../compose.ts';
import { createProposer } from '../flows/proposals.ts';
import { type RollbackEnd, rollBack } from '../flows/rollback.ts';
import type { ProposeEnd } from '../queue/dispatcher.ts';
import type { Output } from './output.ts';
import { findImage, markDeps, type StandingOptions } from './standing.ts';

interface RollbackOptions extends StandingOptions {
  readonly image: string;
  readonly to?: string;
  readonly reason: string;
}

/** `ingot rollback`: channels back to a good release, the bad one quarantined, pull requests that follow. */
export async function rollbackCommand(app: App, output: Output, options: RollbackOptions): Promise<number> {
  const image = findImage(options.image, app);
  const { reason, to, json, signal } = options;
  const request = {
    image,
    repository: app.places.release(image.name),
    channels: app.fleet.settings.channels.map(({ name }) => name),
    by: options.by ?? app.config.person,
    reason,
    to,
  };
  const end = await rollBack(request, { ...markDeps(app), attestor: app.attestor }, signal);
  const proposed = await createProposer({ ...app, now: () => new Date() })(image.name, signal);
  if (json) output.json({ image: image.name, ...end, proposals: proposed.results });
  else for (const line of toLines(image.name, end, proposed)) output.line(line);
  return proposed.results.some(({ action }) => action === 'unknown') ? 4 : 0;
}

function toLines(image: string, end: RollbackEnd, { results }: ProposeEnd): string[] {
  const pulls = results
    .filter(({ action }) => action !== 'none')
    .map(({ repository, number, action, title, message, troubles = [] }) => {
      const pull = number === undefined ? '' : ` #${number}`;
      return [`${repository}${pull} ${action}: ${message ?? title ?? ''}`, ...troubles].join('; ');
    });
  if (end.already) {
    const further = `"ingot rollback ${image} --to VERSION --reason …" goes further back`;
    return [`${image} was rolled back to ${end.version} before, and nothing more was moved; ${further}`, ...pulls];
  }
  const left = end.left.map(({ version }) => version).join(', ');
  return [
    `${image} is back at ${end.version}: ${end.channels.join(', ')} moved`,
    `quarantined: ${left}; the same inputs and the same content are not released again`,
    ...pulls,
  ];
}
