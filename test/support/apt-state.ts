import { digestOf } from '../../src/domain/digest.ts';
import { aptReader, DPKG_STATUS } from '../../src/domain/packages/deb-files.ts';
import type { PackageState } from '../../src/domain/packages/state.ts';

/** The state of an image that has these files. */
export async function aptState(files: Readonly<Record<string, string | Uint8Array>>): Promise<PackageState> {
  const bytes = Object.entries(files).map(([path, content]) => [path, Buffer.from(content)] as const);
  const read = await aptReader.read(new Map(bytes));
  if (read === undefined) throw new Error(`nothing is installed: ${DPKG_STATUS} is missing or empty`);
  return { manager: 'apt', os: { id: 'debian' }, ...read, digest: digestOf(JSON.stringify(files)) };
}
