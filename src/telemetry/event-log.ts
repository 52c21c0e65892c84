import type { EventToTell } from '../ledger/store.ts';
import type { Log } from '../lib/log.ts';
import { traceOfRun } from './run-trace.ts';

type Said = readonly [level: 'detail' | 'info' | 'warn', message: string];

/** One line for what happened, with the names that programs search by. */
export function logEvent(told: EventToTell, log: Log, { traced }: { readonly traced: boolean }): void {
  const [level, message] = sayEvent(told);
  const { type: event, ...fields } = told;
  const trace = traced && 'run' in told ? { trace_id: traceOfRun(told.run).traceId } : {};
  log[level](message, { ...fields, ...trace, event });
}

function sayEvent(told: EventToTell): Said {
  switch (told.type) {
    case 'run.requested':
      return ['info', `${told.image}: run ${told.run} was asked for`];
    case 'run.started':
      return ['info', `${told.image}: run ${told.run} starts`];
    case 'run.step':
      return sayStep(told);
    case 'run.ended':
      return sayEnd(told);
    case 'image.changed':
      return ['info', `${told.image}: ${told.what}, by ${told.by}`];
    case 'plan.made':
      return ['detail', `plan: ${told.rebuilding} to rebuild, ${told.waiting} wait`];
    case 'fleet.loaded':
      return ['info', `definitions: ${told.message}`];
    case 'fleet.refused':
      return ['detail', `definitions refused: ${told.message}`]; // a person is told by who refused them
  }
}

function sayStep({ image, step, platform, state, error }: Extract<EventToTell, { type: 'run.step' }>): Said {
  const what = `${image}: ${step}${platform === undefined ? '' : ` ${platform}`} ${state}`;
  return state === 'failed' ? ['warn', `${what}: ${error ?? 'no reason given'}`] : ['detail', what];
}

/** Failures and refusals are for somebody to look at; what people did themselves is not. */
function sayEnd({ image, run, outcome, summary }: Extract<EventToTell, { type: 'run.ended' }>): Said {
  const isTrouble = outcome === 'failed' || outcome === 'blocked';
  return [isTrouble ? 'warn' : 'info', `${image}: run ${run} ended as ${outcome}: ${summary}`];
}
