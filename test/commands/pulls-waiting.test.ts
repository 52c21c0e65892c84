import { expect, test } from 'vitest';
import { pullsWaiting } from '../../src/commands/pulls-waiting.ts';
import type { ProposeEnd } from '../../src/queue/dispatcher.ts';

const { signal } = new AbortController();

async function ask(ends: readonly ProposeEnd[], json = false) {
  const lines: string[] = [];
  const look = async (image: string) => ends.find((end) => end.image === image)!;
  const images = ends.map(({ image }) => image);
  const code = await pullsWaiting({ images, look, json, print: (line) => void lines.push(line), signal });
  return { lines, code };
}

const debian: ProposeEnd = {
  image: 'debian',
  results: [
    { repository: '/srv/shop.git', action: 'due', message: 'would be opened now' },
    { repository: 'acme/web', base: 'release-1', action: 'waiting', number: 3, message: 'waits for the canaries' },
    { repository: 'acme/fine', action: 'unchanged', number: 4 },
    { repository: 'acme/slow', action: 'unchanged', number: 5, message: 'waits to be merged since 2026-08-22' },
    { repository: 'acme/none', action: 'none' },
  ],
  forecasts: ['1 pull request at github.com, until about 2026-08-22 03:00 UTC'],
};

test('what is to come is told with what it waits for and until when', async () => {
  expect(await ask([debian])).toEqual({
    code: 0,
    lines: [
      'debian: shop due: would be opened now',
      'debian: web#3 (release-1) waiting: waits for the canaries',
      'debian: slow#5 unchanged: waits to be merged since 2026-08-22',
      'debian: 1 pull request at github.com, until about 2026-08-22 03:00 UTC',
    ],
  });
});

test('where all is in order that is said, and a downstream that could not be asked has its exit code', async () => {
  const unknown = { repository: 'acme/x', action: 'unknown', message: 'it is down' };

  expect(await ask([{ image: 'debian', results: [] }])).toEqual({
    code: 0,
    lines: ['nothing waits: every downstream is in order'],
  });
  expect(await ask([{ image: 'debian', results: [unknown] }])).toEqual({
    code: 4,
    lines: ['debian: x unknown: it is down'],
  });
});

test('as JSON it is all that is known', async () => {
  const { lines } = await ask([debian], true);

  expect(JSON.parse(lines.join('\n'))).toEqual({ images: [debian] });
});
