import type { ReadinessCheck } from '../api/routes/health.ts';
import { ServiceError } from '../service/service.ts';
import type { Host } from './host.ts';

/** What a process of the service cannot work without. */
export function readinessOf({ store, withApp }: Pick<Host, 'store' | 'withApp'>): readonly ReadinessCheck[] {
  const pointerOf = async () => {
    const pointer = await store.definitions();
    if (pointer === undefined) throw new ServiceError('no definitions have been read yet', { code: 'unavailable' });
    return pointer;
  };
  return [
    { name: 'redis', check: () => store.definitions() },
    { name: 'definitions', check: pointerOf },
    {
      name: 'registry',
      async check(signal) {
        const { digest } = await pointerOf();
        await withApp(digest, ({ registry, places }) => registry.head({ ...places.fleet(), digest }, { signal }));
      },
    },
  ];
}
