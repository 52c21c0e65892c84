import type { Platform } from '../domain/platform.ts';
import { buildersOf } from '../domain/service/readiness.ts';
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

type GateHost = Pick<Host, 'store' | 'withApp'>;

/**
 * Nothing is built where the disk is full. An emulating worker takes nothing while anybody builds the platform
 * natively, nor for a while after the last one was there: emulation takes ten times as long. Where there never was one,
 * it begins at once.
 */
export function createBuildGate(started: readonly Started[], host: GateHost, disk: () => Promise<DiskRoom>): BuildGate {
  const native = started.filter(({ platform }) => platform?.how === 'native');
  const emulating = started.filter(({ platform }) => platform?.how === 'emulated');
  const open = new Set(native);
  const turn = async (builder: Started, isOpen: boolean) => {
    if (isOpen === open.has(builder)) return;
    if (isOpen) open.add(builder);
    else open.delete(builder);
    await (isOpen ? builder.worker.resume() : builder.worker.pause());
  };
  const emulate = async () => {
    const after = await emulateAfter(host);
    if (after === undefined) return; // it stays as it was until that is known
    for (const builder of emulating) await turn(builder, await mayEmulate(builder.platform!.platform, after, host));
  };
  let low: DiskRoom | undefined;
  return {
    lowDisk: () => low,
    async look() {
      if (native.length + emulating.length === 0) return;
      const room = await disk();
      low = hasRoom(room) ? undefined : room;
      for (const builder of native) await turn(builder, low === undefined);
      if (low !== undefined) for (const builder of emulating) await turn(builder, false);
      else if (emulating.length > 0) await emulate();
    },
  };
}

/** Seconds; `undefined` while no definitions are known. */
async function emulateAfter({ store, withApp }: GateHost): Promise<number | undefined> {
  const pointer = await store.definitions();
  if (pointer === undefined) return undefined;
  return withApp(
    pointer.digest,
    async ({ fleet }) => fleet.settings.rebuild.emulateAfterSeconds ?? DEFAULT_AFTER_SECONDS,
  );
}

async function mayEmulate(platform: Platform, afterSeconds: number, { store }: GateHost): Promise<boolean> {
  const isNative = buildersOf(platform, await store.workers()).some(
    ({ platforms, lowDisk }) =>
      lowDisk === undefined && platforms.some((each) => each.platform === platform && each.how === 'native'),
  );
  if (isNative) return false;
  const last = await store.lastNative(platform);
  return last === undefined || Date.now() - Date.parse(last) > afterSeconds * 1000;
}
