// Pictures of the pages for the docs: npm run screenshots [FOLDER [all]]
// Without "all" only those that docs/dashboard.md shows; with it every page in every size and colour, to look at.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { startDashboardScene } from '../test/support/dashboard-scene.ts';

const [folder = 'docs/pictures', what = 'docs'] = process.argv.slice(2);

const SIZES = { phone: { width: 390, height: 844 }, wide: { width: 1440, height: 860 } };
/** Name, fleet, page, size, colours. */
const IN_DOCS = [
  ['fleet-light', 30, 'fleet', 'wide', 'light'],
  ['fleet-phone-dark', 30, 'fleet', 'phone', 'dark'],
  ['image-light', 30, 'image', 'wide', 'light'],
  ['run-dark', 30, 'run', 'wide', 'dark'],
  ['fleet-300-dark', 300, 'fleet', 'wide', 'dark'],
  ['downstreams-light', 30, 'downstreams', 'wide', 'light'],
];

function pagesOf({ runs, fleet }) {
  const image = encodeURIComponent(fleet.images[0].name);
  const running = runs.findLast(({ outcome }) => outcome === undefined);
  const ended = runs.findLast(({ outcome }) => outcome === 'released');
  const failed = runs.findLast(({ outcome }) => outcome === 'failed');
  return {
    fleet: '/',
    image: `/images/${image}`,
    run: `/runs/${ended.id}`,
    running: `/runs/${running.id}`,
    failed: `/runs/${failed?.id ?? ended.id}`,
    runs: '/runs',
    upstreams: '/upstreams',
    downstreams: '/downstreams',
    freshness: '/freshness',
    workers: '/workers',
    audit: '/audit',
    rollback: `/images/${image}/rollback`,
  };
}

function wanted(images) {
  if (what === 'docs') return IN_DOCS.filter((shot) => shot[1] === images);
  const names =
    images === 30
      ? Object.keys(pagesOf({ runs: [{ id: '' }, { id: '', outcome: 'released' }], fleet: { images: [{ name: '' }] } }))
      : ['fleet', 'image'];
  return names.flatMap((page) =>
    Object.keys(SIZES).flatMap((size) =>
      ['light', 'dark'].map((colours) => [`${page}-${images}-${size}-${colours}`, images, page, size, colours]),
    ),
  );
}

await mkdir(folder, { recursive: true });
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
try {
  for (const images of [3, 30, 300]) {
    const shots = wanted(images);
    if (shots.length === 0) continue;
    const scene = await startDashboardScene({ images, runs: images * 20 });
    try {
      const [name, value] = (await scene.signIn('admin')).split('=');
      const pages = pagesOf(scene.data);
      for (const [file, , page, size, colorScheme] of shots) {
        const context = await browser.newContext({ viewport: SIZES[size], colorScheme, reducedMotion: 'reduce' });
        await context.addCookies([{ name, value, url: scene.server }]);
        const tab = await context.newPage();
        await tab.goto(scene.server + pages[page], { waitUntil: 'load' });
        await tab.screenshot({ path: join(folder, `${file}.png`), fullPage: what !== 'docs' });
        await context.close();
        console.log(`${file}.png`);
      }
    } finally {
      await scene.stop();
    }
  }
} finally {
  await browser.close();
}
