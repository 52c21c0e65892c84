/** Codes that any part may use; each port adds its own. */
export type CommonCode = 'cancelled' | 'timed-out' | 'usage' | 'configuration' | 'bug';

export interface FactoryErrorOptions<Code extends string> {
  readonly code: Code;
  /** Whether the same call may succeed later without anybody changing anything. Decided once, here. */
  readonly retryable?: boolean;
  readonly cause?: unknown;
  /** Facts for logs and problem documents. Never a secret. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** The one error of the factory. Each port has a subclass with its own union of codes. */
export class FactoryError<Code extends string = string> extends Error {
  readonly code: Code;
  readonly retryable: boolean;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(message: string, options: FactoryErrorOptions<Code>) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = options.code;
    this.retryable = options.retryable ?? false;
    this.details = options.details ?? {};
  }
}

/** One mistake in a file that a person wrote. Lines and columns count from 1. */
export interface Mistake {
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
  readonly message: string;
  /** What to write instead. */
  readonly remedy?: string;
}

/** All mistakes of the fleet's files at once. */
export class DefinitionError extends FactoryError<'configuration'> {
  readonly mistakes: readonly Mistake[];

  constructor(mistakes: readonly Mistake[]) {
    super(mistakes.map(formatMistake).join('\n'), { code: 'configuration', details: { mistakes } });
    this.mistakes = mistakes;
  }
}

/** `images/python/image.yaml:3:1: unknown key "instal"; did you mean "install"?` */
export function formatMistake(mistake: Mistake): string {
  const place = [mistake.file, mistake.line, mistake.line === undefined ? undefined : mistake.column]
    .filter((part) => part !== undefined)
    .join(':');
  return `${place}: ${mistake.message}${mistake.remedy === undefined ? '' : `; ${mistake.remedy}`}`;
}
