import type { Platform } from '../domain/platform.ts';
import { type DiskRoom, hasRoom } from '../domain/staleness.ts';
import type { Host } from './host.ts';
import type { Started } from './workers.ts';

const DEFAULT_AFTER_SECONDS = 600;

export interface BuildGate {
  /** Lets the builders of this process take work, or has them wait. */
  look(): Promise<void>;
  /** The disk that keeps all of them from building, when it was last looked at. */
  lowDisk(): DiskRoom | undefined;
}

/**
 * Nothing is built where the disk is full. An emulating worker takes nothing while anybody builds the platform
 * natively, nor for a while after the last one was there: emulation takes ten times as long. Where there never was one,
 * it begins at once.
 */
export function createBuildGate(
  started: readonly Started[],
  { store, withApp }: Pick<Host, 'store' | 'withApp'>,
  disk: () => Promise<DiskRoom>,
): BuildGate {
  const closed = new Set(started.filter(({ platform }) => platform?.how === 'emulated'));
  let low: DiskRoom | undefined;
  const emulateAfter = async () => {
    const pointer = await store.definitions();
    if (pointer === undefined) return undefined;
    return withApp(
      pointer.digest,
      async ({ fleet }) => fleet.settings.rebuild.emulateAfterSeconds ?? DEFAULT_AFTER_SECONDS,
    );
  };
  const mayBuild = async ({ platform, how }: NonNullable<Started['platform']>) => {
    if (low !== undefined) return false;
    if (how === 'native') return true;
    const after = await emulateAfter();
    return after !== undefined && mayEmulate(platform, after, store);
  };
  return {
    lowDisk: () => low,
    async look() {
      const builders = started.filter(({ platform }) => platform !== undefined);
      if (builders.length === 0) return;
      const room = await disk();
      low = hasRoom(room) ? undefined : room;
      for (const builder of builders) {
        const isOpen = await mayBuild(builder.platform!);
        if (isOpen !== closed.has(builder)) continue;
        if (isOpen) closed.delete(builder);
        else closed.add(builder);
        await (isOpen ? builder.worker.resume() : builder.worker.pause());
      }
    },
  };
}

async function mayEmulate(platform: Platform, afterSeconds: number, store: Host['store']): Promise<boolean> {
  const workers = await store.workers();
  const isNative = workers.some(
    ({ roles, platforms, stopping, lowDisk }) =>
      roles.includes('build') &&
      !stopping &&
      lowDisk === undefined &&
      platforms.some((each) => each.platform === platform && each.how === 'native'),
  );
  if (isNative) return false;
  const last = await store.lastNative(platform);
  return last === undefined || Date.now() - Date.parse(last) > afterSeconds * 1000;
}
