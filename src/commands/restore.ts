import type { App } from '../compose.ts';
import { FactoryError } from '../domain/errors.ts';
import { restoreFrom } from '../flows/replicate.ts';
import { replicateDeps } from './flow-deps.ts';
import type { Output } from './output.ts';
import { requireImages } from './require-images.ts';

interface RestoreOptions {
  /** Empty: all. */
  readonly images: readonly string[];
  readonly json: boolean;
  readonly signal: AbortSignal;
}

/** `ingot restore REPLICA`: brings back what our own registry lost. 1: something was refused, 4: it could not be asked. */
export async function restoreCommand(
  replica: string,
  app: App,
  output: Output,
  { images, json, signal }: RestoreOptions,
): Promise<number> {
  const { images: all } = app.fleet;
  requireImages(images, all);
  const chosen = images.length === 0 ? all : all.filter(({ name }) => images.includes(name));
  const report = await restoreFrom(requireBase(replica), chosen, replicateDeps(app), signal);
  if (json) output.json(report);
  else {
    for (const { image, version } of report.copied) output.line(`${image} ${version} is back`);
    for (const { image, channel, version } of report.moved)
      output.line(`${image} ${channel} is at ${version ?? 'it'} again`);
    for (const { image, message } of report.problems) output.line(`${image}: ${message}`);
    if (report.unreachable !== undefined) output.line(`${report.unreachable}; run it again, it goes on where it was`);
    else if (report.copied.length + report.moved.length + report.problems.length === 0)
      output.line(`nothing to bring back: all that ${report.replica} has of these images is here`);
  }
  if (report.unreachable !== undefined) return 4;
  return report.problems.length > 0 ? 1 : 0;
}

function requireBase(text: string): string {
  if (/^[a-z0-9.-]+(:\d+)?(\/[a-z0-9._-]+)*\/?$/i.test(text)) return text;
  throw new FactoryError(`"${text}" is no replica; write it as in ingot.yaml: harbor.acme.example/golden`, {
    code: 'usage',
  });
}
