import { expect, test } from 'vitest';
import { covered } from '../../src/commands/run-report.ts';
import { FactoryError } from '../../src/domain/errors.ts';
import type { StepRecord } from '../../src/domain/run.ts';
import { runSteps, type Step } from '../../src/flows/steps.ts';

function scene() {
  const told: string[] = [];
  const ran: string[] = [];
  const observer = { onStep: (_run: string, step: StepRecord) => void told.push(`${step.name} ${step.state}`) };
  const context = { runId: 'r', observer, now: () => 0, signal: new AbortController().signal };
  const step = (name: string, over: Partial<Step> = {}): Step => ({
    name,
    external: false,
    isDone: async () => false,
    run: async () => void ran.push(name),
    ...over,
  });
  return { told, ran, context, step };
}

test('steps run in order, and each is told when it begins and ends', async () => {
  const { told, ran, context, step } = scene();

  await runSteps([step('build'), step('sign')], context);

  expect(ran).toEqual(['build', 'sign']);
  expect(told).toEqual(['build running', 'build done', 'sign running', 'sign done']);
});

test('what is done already is not done again', async () => {
  const { told, ran, context, step } = scene();

  await runSteps([step('build', { isDone: async () => true }), step('sign')], context);

  expect(ran).toEqual(['sign']);
  expect(told[0]).toBe('build skipped');
});

test('an ending stops the run, a failure too, and nothing after them begins', async () => {
  const { ran, context, step } = scene();
  const ending = { outcome: 'unchanged', summary: 'the same' } as const;
  const failing = step('build', { run: () => Promise.reject(new FactoryError('no space', { code: 'no-space' })) });

  expect(await runSteps([step('compare', { run: async () => ending }), step('sign')], context)).toEqual(ending);
  await expect(runSteps([failing, step('sign')], context)).rejects.toThrow('no space');
  expect(ran).toEqual([]);
});

test('a cancelled run begins no further step', async () => {
  const { ran, context, step } = scene();

  const cancelled = runSteps([step('build')], { ...context, signal: AbortSignal.abort() });

  await expect(cancelled).rejects.toMatchObject({ code: 'cancelled' });
  expect(ran).toEqual([]);
});

test('overlapping spans of other people’s work are counted once', () => {
  const span = (startedAt: number, endedAt: number) => ({ startedAt, endedAt });

  expect(covered([span(0, 10), span(5, 15), span(20, 30), span(22, 25)])).toBe(25);
});
