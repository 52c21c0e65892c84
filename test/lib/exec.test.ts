import { expect, test } from 'vitest';
import { exec } from '../../src/lib/exec.ts';

/** Whether a process still runs: one that ended and that nobody asked about does not. */
async function runs(pid: string): Promise<boolean> {
  const { exitCode, stdout } = await exec('ps', ['-o', 'stat=', '-p', pid]);
  return exitCode === 0 && !stdout.toString().startsWith('Z');
}

test('gives exit code and output, and each line as it comes', async () => {
  const lines: string[] = [];

  const result = await exec('sh', ['-c', 'echo one; echo two; exit 3'], { onStdout: (line) => lines.push(line) });

  expect([result.exitCode, result.stdout.toString(), lines]).toEqual([3, 'one\ntwo\n', ['one', 'two']]);
});

test('does not wait for what a program left behind with its pipes, and ends that', async () => {
  const result = await exec('sh', ['-c', 'sleep 60 & echo $!']);

  expect(result.exitCode).toBe(0);
  expect(await runs(result.stdout.toString().trim())).toBe(false);
}, 20_000);

test('a signal ends the program and what it started', async () => {
  const controller = new AbortController();
  const started = Promise.withResolvers<string>();

  const running = exec('sh', ['-c', 'sleep 60 & echo $!; wait'], {
    signal: controller.signal,
    onStdout: started.resolve,
  });
  const pid = await started.promise;
  controller.abort();

  await expect(running).rejects.toMatchObject({ code: 'cancelled' });
  expect(await runs(pid)).toBe(false);
}, 20_000);

test.each([
  ['is not there', ['no-such-program'], {}, 'not-found'],
  ['may not be executed', ['/etc/passwd'], {}, 'not-found'],
  ['takes too long', ['sleep', '60'], { timeout: 100 }, 'timed-out'],
  ['writes too much', ['yes'], { maxBuffer: 1000 }, 'output-too-large'],
])(
  'a program that %s is an error with its code',
  async (_, [program, ...args], options, code) => {
    await expect(exec(program!, args, options)).rejects.toMatchObject({ code });
  },
  20_000,
);

test('a program sees no secret of ours', async () => {
  process.env.INGOT_TEST_TOKEN = 'secret';
  try {
    const { stdout } = await exec('env', []);
    expect(stdout.toString()).not.toContain('secret');
  } finally {
    delete process.env.INGOT_TEST_TOKEN;
  }
});
