import type { Redaction } from './redaction.ts';

export const LOG_FORMATS = ['text', 'json'] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

export type LogLevel = 'info' | 'warn' | 'error';

/** What a line is about, by the same names everywhere; absent where it is about none. */
export interface LogFields {
  readonly event?: string | undefined;
  readonly run?: string | undefined;
  readonly image?: string | undefined;
  readonly step?: string | undefined;
  readonly platform?: string | undefined;
  readonly queue?: string | undefined;
  /** Of an HTTP request: its `X-Request-Id`. */
  readonly request?: string | undefined;
  readonly [more: string]: unknown;
}

/** What a process that keeps running says: one line an event. */
export interface Log {
  readonly format: LogFormat;
  /** As `info`, for programs: too much for a person who reads text. */
  detail(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

export interface LogOptions {
  readonly format: LogFormat;
  readonly redaction: Redaction;
  /** `info` goes to stdout, the rest to stderr, in both formats. */
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  readonly now: () => Date;
  /** In every line of JSON: which process says it. */
  readonly about?: Readonly<Record<string, unknown>>;
}

/** @example createLog({ format: 'json', … }).info('released as 12.0.1', { event: 'run.ended', run, image }) */
export function createLog(options: LogOptions): Log {
  const write =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}) => {
      const to = level === 'info' ? options.stdout : options.stderr;
      to(`${options.format === 'json' ? jsonLine(level, message, fields, options) : textLine(message, options)}\n`);
    };
  const info = write('info');
  const detail = options.format === 'json' ? info : () => {};
  return { format: options.format, detail, info, warn: write('warn'), error: write('error') };
}

function textLine(message: string, { redaction }: LogOptions): string {
  return redaction.redact(message);
}

/** Redacted before it is encoded: a secret with a quote or a line break in it looks different afterwards. */
function jsonLine(level: LogLevel, message: string, fields: LogFields, options: LogOptions): string {
  const { redaction, now, about } = options;
  const line = { time: now().toISOString(), level, message, ...about, ...fields };
  return JSON.stringify({ ...line, message }, (_, value: unknown) =>
    typeof value === 'string' ? redaction.redact(value) : value,
  );
}
