import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildError } from '../../src/builder/buildkit-errors.ts';
import { commandResult } from '../../src/builder/command-result.ts';
import { createLogReader, readProgress } from '../../src/builder/progress.ts';

const recorded = await readFile(
  join(import.meta.dirname, '..', 'fixtures', 'builder', 'failed-run.rawjson.txt'),
  'utf8',
);

describe('the progress of a build', () => {
  it('gives each step its own output, streams apart', () => {
    const { steps, message } = readProgress(recorded);

    const runs = steps.filter(({ name }) => name.includes('] RUN '));
    expect(runs.map(({ stdout, stderr }) => [stdout.toString(), stderr.toString()]).sort()).toEqual([
      ['a line\n', 'b line\n'],
      ['out\nno newline', 'err\n'],
    ]);
    expect(message).toMatch(/^Dockerfile:3\n/);
    expect(message).toMatch(/did not complete successfully: exit code: 3$/);
  });

  it('becomes an error with the lines of the failing step', () => {
    const error = buildError(readProgress(recorded), (text) => text);

    expect(error).toMatchObject({ code: 'build-failed', details: { exitCode: 3, log: ['a line', 'b line'] } });
  });

  it('is read whatever stands in it', () => {
    expect(readProgress('{"half\n{"logs":[{"vertex":1}]}\n{"other":true}\nerror: x').message).toBe(
      '{"half\n{"logs":[{"vertex":1}]}\nerror: x',
    );
  });
});

describe('the log of a build', () => {
  it('comes in whole lines, each source for itself, plain', () => {
    const lines: string[] = [];
    const reader = createLogReader((line) => lines.push(line));
    const bytes = Buffer.from('größe\r\n\u001b[31mred\u001b[0m\n10%\r50%\r100%\nend');

    for (const at of bytes.keys()) {
      reader.read(log('a', 1, bytes.subarray(at, at + 1)));
      if (at === 3) reader.read(log('b', 1, Buffer.from('between\n')));
    }
    reader.end();

    expect(lines).toEqual(['between', 'größe', 'red', '100%', 'end']);
  });

  it('has warnings as well', () => {
    const lines: string[] = [];

    createLogReader((line) => lines.push(line)).read(
      JSON.stringify({ warnings: [{ short: Buffer.from('odd').toString('base64') }] }),
    );

    expect(lines).toEqual(['warning: odd']);
  });
});

describe('the result of a command', () => {
  const step = (name: string, stdout = '', error?: string) => ({
    ...{ name, stdout: Buffer.from(stdout), stderr: Buffer.alloc(0), lines: [] },
    ...(error === undefined ? {} : { error }),
  });

  it('is of the last command, whatever the image itself runs first', () => {
    const steps = [step('[3/3] RUN ["c"]', 'c'), step('[1/3] RUN ["onbuild"]', 'o'), step('[2/3] RUN ["b"]', 'b')];

    expect(commandResult({ steps, message: '' }, { succeeded: true, commands: 1 })).toMatchObject({ stdout: 'c' });
  });

  it('is none when the build failed elsewhere', () => {
    const message = 'error: failed to solve: process "o" did not complete successfully: exit code: 1';
    const steps = [step('[1/2] RUN ["onbuild"]', '', message), step('[2/2] RUN ["a"]')];

    expect(commandResult({ steps, message }, { succeeded: false, commands: 1 })).toBeUndefined();
    expect(commandResult({ steps: [], message: 'error: x' }, { succeeded: false, commands: 1 })).toBeUndefined();
  });

  it('is refused when a part of the output was left out', () => {
    const steps = [step('[1/1] RUN ["a"]', 'x\n[output clipped, log limit 200KiB/s reached]\n')];

    expect(() => commandResult({ steps, message: '' }, { succeeded: true, commands: 1 })).toThrow(/wrote more/);
  });
});

function log(vertex: string, stream: number, data: Uint8Array): string {
  return JSON.stringify({ logs: [{ vertex, stream, data: Buffer.from(data).toString('base64') }] });
}
