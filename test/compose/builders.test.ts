import { expect, test } from 'vitest';
import { createDaemon } from '../../src/compose/builders.ts';

const signal = new AbortController().signal;

test('an embedded BuildKit that did not start is tried again, once for all that wait, and then kept', async () => {
  const answers = [new Error('no space left on device'), undefined];
  let [starts, ends] = [0, 0];
  const daemon = createDaemon({ dataDirectory: '/nowhere' }, { signal, onTrouble: () => {} }, async () => {
    const answer = answers[starts++];
    if (answer !== undefined) throw answer;
    const close = async () => void ends++;
    return { buildkit: 'unix:///run/buildkitd.sock', owner: true, close };
  });

  const first = await Promise.allSettled([daemon.start([]), daemon.start([])]);
  const second = await Promise.all([daemon.start([]), daemon.start([])]);
  const third = await daemon.start([]);
  await daemon.close();

  expect(first.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect([...second, third]).toEqual(Array(3).fill('unix:///run/buildkitd.sock'));
  expect([starts, ends]).toEqual([2, 1]);
});
