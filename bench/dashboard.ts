import { startDashboardScene } from '../test/support/dashboard-scene.ts';

/** `npm run bench:dashboard`: how long each page takes with 300 images and 10,000 runs, and how large it is. */
const PAGES = [
  '/',
  '/?q=image-00',
  '/images/image-000',
  '/runs',
  '/runs?outcome=failed',
  '/upstreams',
  '/downstreams',
  '/freshness',
  '/workers',
];
const TIMES = 20;

const scene = await startDashboardScene({ images: 300, runs: 10_000 });
const cookie = await scene.signIn('admin');
const { text: runs } = await scene.get('/runs', cookie);
const run = /\/runs\/01[0-9A-Z]+/.exec(runs)![0];
for (const path of [...PAGES, run]) {
  const first = await timed(path);
  const times: number[] = [];
  for (let turn = 0; turn < TIMES; turn++) times.push((await timed(path)).ms);
  const median = times.sort((a, b) => a - b)[TIMES / 2]!;
  const figures = [`first ${first.ms.toFixed(0)} ms`, `median ${median.toFixed(0)} ms`, `${first.kib.toFixed(0)} KiB`];
  process.stdout.write(`${path.padEnd(35)} ${figures.join(', ')}\n`);
}
await scene.stop();

async function timed(path: string): Promise<{ readonly ms: number; readonly kib: number }> {
  const begin = performance.now();
  const { status, text } = await scene.get(path, cookie);
  if (status !== 200) throw new Error(`${path} answers ${status}`);
  return { ms: performance.now() - begin, kib: Buffer.byteLength(text) / 1024 };
}
