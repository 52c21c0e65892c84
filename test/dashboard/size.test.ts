import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type DashboardScene, startDashboardScene } from '../support/dashboard-scene.ts';

const MAX_BYTES = 150 * 1024;

let scene: DashboardScene;
let cookie: string;

beforeAll(async () => {
  scene = await startDashboardScene({ images: 300, runs: 10_000 });
  cookie = await scene.signIn('admin');
});
afterAll(() => scene.stop());

const PAGES = [
  '/',
  '/?q=image-00',
  '/?page=3',
  '/images/image-000',
  '/runs',
  '/upstreams',
  '/downstreams',
  '/freshness',
];

describe('with 300 images and 10,000 runs', () => {
  // How long it takes is measured by `npm run bench:dashboard`
  test.each(PAGES)('%s is not too large', async (path) => {
    const { text } = await scene.get(path, cookie);

    expect(Buffer.byteLength(text)).toBeLessThan(MAX_BYTES);
  });
});
