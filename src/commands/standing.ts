import type { App } from '../compose.ts';
import { shortDigest } from '../domain/digest.ts';
import type { Image } from '../domain/fleet/model.ts';
import type { MarkDeps } from '../flows/mark-log.ts';
import { liftQuarantine, type QuarantineEnd, quarantineRelease } from '../flows/quarantine.ts';
import { readRelease } from '../flows/releases.ts';
import type { Output } from './output.ts';
import { requireImages } from './require-images.ts';

/** What every verb has that changes the standing of an image by hand. */
export interface StandingOptions {
  /** Absent: as CI or the machine says. */
  readonly by?: string;
  readonly json: boolean;
  readonly signal: AbortSignal;
}

export function markDeps({ registry, ledger }: App): MarkDeps {
  return { registry, ledger, now: () => new Date() };
}

export function findImage(name: string, { fleet }: App): Image {
  requireImages([name], fleet.images);
  return fleet.images.find((image) => image.name === name)!;
}

interface QuarantineOptions extends StandingOptions {
  readonly image: string;
  /** A version or a digest. */
  readonly what: string;
  readonly reason?: string;
}

/** `ingot quarantine`: a release that must never be promoted again. */
export async function quarantineCommand(app: App, output: Output, options: QuarantineOptions): Promise<number> {
  const image = findImage(options.image, app);
  const end = await quarantineRelease(requestOf(app, options), markDeps(app), options.signal);
  const release = await readRelease(app.registry, app.places.release(image.name), image, options);
  const inUse = release.state === 'known' && release.value.digest === end.digest;
  if (options.json) output.json({ image: image.name, ...end, inUse });
  else {
    output.line(`${image.name} ${nameOf(end)} is quarantined${end.changed ? '' : ' already'}`);
    if (inUse) output.line(`it is still in use; "ingot rollback ${image.name} --reason …" takes the channels back`);
  }
  return 0;
}

/** `ingot unquarantine`: the next cycle may promote it again. */
export async function unquarantineCommand(app: App, output: Output, options: QuarantineOptions): Promise<number> {
  const end = await liftQuarantine(requestOf(app, options), markDeps(app), options.signal);
  if (options.json) output.json({ image: options.image, ...end });
  else output.line(`${options.image} ${nameOf(end)} is quarantined no longer; the next cycle may release it again`);
  return 0;
}

function requestOf(app: App, { image, what, by, reason }: QuarantineOptions) {
  const repository = app.places.release(findImage(image, app).name);
  return { image, repository, what, by: by ?? app.config.person, ...(reason && { reason }) };
}

function nameOf({ version, digest }: QuarantineEnd): string {
  return version === undefined ? shortDigest(digest) : `${version} (${shortDigest(digest)})`;
}
