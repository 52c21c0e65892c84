import { tmpdir } from 'node:os';
import { describe, expect, test } from 'vitest';
import { createCommandGate } from '../../src/gates/command.ts';
import { DIGEST, gate, SUBJECT } from './support.ts';

const runner = createCommandGate({ root: tmpdir() });

function ask(script: string, timeoutSeconds = 20) {
  return runner.ask(gate({ kind: 'command', argv: ['sh', '-c', script] }, { timeoutSeconds }), SUBJECT, {});
}

describe('a command as gate', () => {
  test('knows what it is asked about from its environment', async () => {
    const names = ['GATE', 'WHEN', 'IMAGE', 'VERSION', 'REFERENCE', 'DIGEST', 'PLATFORMS', 'REASONS'];

    const { passed, message } = await ask(names.map((name) => `echo "$INGOT_${name}"`).join(';'));

    expect(passed).toBe(true);
    expect(message.split('\n')).toEqual([
      ...['contract', 'before', 'python', '3.11.4', `127.0.0.1:5000/staging/python@${DIGEST}`, DIGEST],
      ...['linux/amd64 linux/arm64', 'its base debian:12 moved'],
    ]);
  });

  test('runs beside ingot.yaml and sees no secret of ingot', async () => {
    process.env.INGOT_SIGNING_KEY = 'secret';

    const { message } = await ask('pwd; echo "[$INGOT_SIGNING_KEY]"');

    expect(message).toBe(`${tmpdir()}\n[]`);
    delete process.env.INGOT_SIGNING_KEY;
  });

  test('refuses with its last words, without colours', async () => {
    expect(await ask("printf '\\033[31mport 8080\\033[0m is closed\\n' >&2; exit 3")).toEqual({
      passed: false,
      message: 'exit 3: port 8080 is closed',
    });
  });

  test('refuses when it hangs or never stops talking', async () => {
    expect(await ask('sleep 60', 1)).toEqual({ passed: false, message: 'took longer than 1 s' });
    const { passed, message } = await ask('yes');
    expect([passed, message.length < 2_100]).toEqual([false, true]);
  });

  test('says only the end of a long story', async () => {
    const { message } = await ask('seq 1 5000; exit 1');

    expect(message.length).toBeLessThan(2_100);
    expect(message).toMatch(/\n5000$/);
  });

  test('that is not there was not asked', async () => {
    const missing = gate({ kind: 'command', argv: ['./no-such-gate'] });

    await expect(runner.ask(missing, SUBJECT, {})).rejects.toMatchObject({ code: 'configuration', retryable: false });
  });
});
