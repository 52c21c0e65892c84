import type { Platform } from '../domain/platform.ts';
import type { Host } from './host.ts';
import type { Started } from './workers.ts';

const DEFAULT_AFTER_SECONDS = 600;

/**
 * An emulating worker takes nothing while anybody builds the platform natively, nor for a while after the last one
 * was there: emulation takes ten times as long. Where there never was one, it begins at once.
 */
export function createEmulationGate(started: readonly Started[], { store, withApp }: Host): () => Promise<void> {
  const open = new Set<Platform>();
  const emulating = started.flatMap(({ platform, worker }) =>
    platform?.how === 'emulated' ? [{ platform: platform.platform, worker }] : [],
  );
  return async () => {
    if (emulating.length === 0) return;
    const pointer = await store.definitions();
    if (pointer === undefined) return;
    const after = await withApp(
      pointer.digest,
      async ({ fleet }) => fleet.settings.rebuild.emulateAfterSeconds ?? DEFAULT_AFTER_SECONDS,
    );
    for (const { platform, worker } of emulating) {
      const isNeeded = await mayEmulate(platform, after, store);
      if (isNeeded === open.has(platform)) continue;
      if (isNeeded) open.add(platform);
      else open.delete(platform);
      await (isNeeded ? worker.resume() : worker.pause());
    }
  };
}

async function mayEmulate(platform: Platform, afterSeconds: number, store: Host['store']): Promise<boolean> {
  const workers = await store.workers();
  const isNative = workers.some(
    ({ roles, platforms, stopping }) =>
      roles.includes('build') &&
      !stopping &&
      platforms.some((each) => each.platform === platform && each.how === 'native'),
  );
  if (isNative) return false;
  const last = await store.lastNative(platform);
  return last === undefined || Date.now() - Date.parse(last) > afterSeconds * 1000;
}
