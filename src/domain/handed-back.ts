import { FactoryError } from './errors.ts';

/**
 * Why a job is given up without an end: another worker goes on with it. The worker stops, or it slept and somebody
 * else has the job by now. Nothing about the run may be recorded as its end.
 */
export function handedBack(why: string): FactoryError<'handed-back'> {
  return new FactoryError(why, { code: 'handed-back', retryable: true });
}

export function isHandedBack(signal: AbortSignal): boolean {
  return signal.aborted && signal.reason instanceof FactoryError && signal.reason.code === 'handed-back';
}
