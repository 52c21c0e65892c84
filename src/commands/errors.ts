import { FactoryError } from '../domain/errors.ts';

/** The one place where errors become exit codes (decisions.md, Outcomes). */
export function exitCodeOfError(error: unknown): number {
  if (!(error instanceof FactoryError)) return 1;
  if (error.code === 'cancelled') return 130;
  if (error.code === 'usage' || error.code === 'configuration') return 2;
  return ['unavailable', 'rate-limited', 'unauthorised', 'timed-out'].includes(error.code) ? 4 : 1;
}

/** What a person reads: the message, and the last lines of a tool where there are some. Never a stack trace. */
export function explainError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const log = error instanceof FactoryError ? error.details.log : undefined;
  return typeof log === 'string' && log !== '' ? `${error.message}\n${log.replace(/^/gm, '    ')}` : error.message;
}
