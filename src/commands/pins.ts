import Table from 'cli-table3';
import type { LeftPin } from '../domain/bump/format.ts';
import type { PinSettings } from '../domain/fleet/settings-pins.ts';
import { bumpFiles, type FolderRelease, type ListedPin, listPins } from '../flows/folder-pins.ts';
import type { Output } from './output.ts';
import { type PinFolder, readPinFolder, writePinFile } from './pin-folder.ts';
import { unifiedDiff } from './text-diff.ts';

/** What pins are compared with; nothing at all where there is no fleet. */
export interface PinsApp {
  readonly settings: readonly PinSettings[];
  /** Below this name an image is ours: `ghcr.io/acme/golden`. */
  readonly prefix?: string | undefined;
  /** The releases in use of images that pins name. */
  readonly releases: (wanted: (repository: string) => boolean) => Promise<readonly FolderRelease[]>;
}

export interface PinsOptions {
  /** Where to look: files that were read already, or a folder on disk. */
  readonly folder: string | PinFolder;
  /** Instead of the fleet's own. */
  readonly registry?: string | undefined;
  readonly json: boolean;
}

/** `ingot pins DIR`: every pin with file and line, image, version, and how far it is behind. @returns 0 */
export async function pinsCommand(app: PinsApp, output: Output, options: PinsOptions): Promise<number> {
  const prefix = (options.registry ?? app.prefix)?.replace(/\/+$/, '');
  const isWanted = (name: string) => prefix === undefined || name === prefix || name.startsWith(`${prefix}/`);
  const { folder: at } = options;
  const folder = typeof at === 'string' ? await readPinFolder(at, app.settings) : at;
  const releases = await app.releases(isWanted);
  const pins = await listPins(folder.files, folder.rules, isWanted, releases);
  const { left } = await bumpFiles(folder.files, folder.rules, releases);
  if (options.json) output.json({ pins, left, skipped: folder.skipped });
  else {
    output.line(pins.length === 0 ? `no pins${prefix === undefined ? '' : ` of ${prefix}`}` : pinsTable(pins));
    tellLeft(left, folder, output);
  }
  return 0;
}

export interface BumpOptions {
  readonly folder: string;
  readonly dryRun: boolean;
  readonly json: boolean;
}

/** `ingot bump DIR`: moves the pins of a working copy to the releases in use, and prints the diff. @returns 0 */
export async function bumpCommand(app: PinsApp, output: Output, options: BumpOptions): Promise<number> {
  const folder = await readPinFolder(options.folder, app.settings);
  const { files, pins, left, current } = await bumpFiles(folder.files, folder.rules, await app.releases(() => true));
  if (!options.dryRun) for (const { path, after } of files) await writePinFile(options.folder, path, after);
  if (options.json) {
    output.json({ changed: files.map(({ path }) => path), pins, left, current, skipped: folder.skipped });
    return 0;
  }
  for (const { path, before, after } of files)
    for (const line of unifiedDiff(path, toText(before), toText(after))) output.line(line);
  const verb = options.dryRun ? 'would move' : 'moved';
  const notes = pins.flatMap(({ path, line, note }) => (note === undefined ? [] : [`${path}:${line}: ${note}`]));
  const rest = current === 0 ? '' : `; ${current} ${current === 1 ? 'is' : 'are'} at the release already`;
  output.line(
    pins.length === 0
      ? `nothing to move${rest}`
      : `${verb} ${count(pins.length, 'pin')} in ${count(files.length, 'file')}${rest}`,
  );
  for (const note of notes) output.line(note);
  tellLeft(left, folder, output);
  return 0;
}

function tellLeft(
  left: readonly (LeftPin & { readonly path: string })[],
  { skipped }: Pick<PinFolder, 'skipped'>,
  output: Output,
): void {
  if (left.length > 0) output.line('left alone:');
  for (const { path, line, reason, message } of left) output.line(`  ${path}:${line}: ${message} (${reason})`);
  for (const { path, why } of skipped) output.line(`not read: ${path}: ${why}`);
}

function pinsTable(pins: readonly ListedPin[]): string {
  const table = new Table({ head: ['place', 'image', 'version', 'behind'], style: { head: [], border: [] } });
  for (const pin of pins) {
    const { path, line, image, version, reference, release, behind } = pin;
    const shown = version ?? (reference.slice(image.length).replace(/^[:@]/, '') || 'no tag');
    table.push([
      `${path}:${line}`,
      image,
      shown.replace(/(sha256:[0-9a-f]{12})[0-9a-f]+/, '$1'),
      behindText(release, behind),
    ]);
  }
  return table.toString();
}

function behindText(release: string | undefined, behind: number | undefined): string {
  if (release === undefined) return '';
  if (behind === undefined) return `not known; the release is ${release}`;
  return behind === 0 ? 'up to date' : `${count(behind, 'release')} (${release})`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

function toText(content: Uint8Array): string {
  return Buffer.from(content).toString('utf8');
}
