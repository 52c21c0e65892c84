import type { Digest } from '../domain/digest.ts';
import { type CommonCode, FactoryError } from '../domain/errors.ts';
import type { Platform } from '../domain/platform.ts';
import type { Reference } from '../domain/reference.ts';

export type BuilderErrorCode =
  | CommonCode
  | 'build-failed'
  | 'base-not-found'
  | 'unauthorised'
  | 'rate-limited'
  | 'no-space'
  | 'unavailable'
  | 'protocol';

/** `details.log`: the last lines of the failing step's own output. */
export class BuilderError extends FactoryError<BuilderErrorCode> {}

export interface BuildRequest {
  readonly platform: Platform;
  /**
   * Absolute path. BuildKit takes a file of an earlier build, of any image, for this one when path, size and time are the
   * same: times have to depend on contents (`stampByContent` in lib/stamp.ts).
   */
  readonly context: string;
  /** Absolute path. */
  readonly dockerfile: string;
  readonly target?: string;
  /** Every image that the Dockerfile names, by digest: written name to reference. */
  readonly pins: Readonly<Record<string, Reference>>;
  /** Folders that the Dockerfile names as images: name to absolute path. */
  readonly folders?: Readonly<Record<string, string>>;
  /** Seconds since the epoch, decided by the inputs: `SOURCE_DATE_EPOCH`. */
  readonly epoch: number;
  readonly args?: Readonly<Record<string, string>>;
  /** Annotations of the platform manifest. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** Secret id to absolute path of a file that holds it. */
  readonly secrets?: Readonly<Record<string, string>>;
  /** Repository that the platform manifest is pushed to, by digest. */
  readonly push: Reference;
  /** Without BuildKit's cache. */
  readonly fresh?: boolean;
  readonly signal?: AbortSignal | undefined;
  /** Called for each line of the build's own output. */
  readonly onLog?: ((line: string) => void) | undefined;
}

/** One command, run once in a throw-away build FROM the image, without network, as the image's own user and environment. */
export interface CommandRequest {
  readonly platform: Platform;
  readonly image: Reference;
  /** Each an argv; run in order, in layers of their own; all but the last must exit 0. */
  readonly commands: readonly (readonly string[])[];
  readonly env: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

export interface CommandResult {
  /** Of the last command, or of the first that failed before it (then `setupFailed`). */
  readonly exitCode: number;
  readonly setupFailed: boolean;
  /** UTF-8, each at most 1 MiB. */
  readonly stdout: string;
  readonly stderr: string;
}

/** Builds platform images. Inputs by digest only; the result is pushed by digest. */
export interface Builder {
  readonly name: string;
  /** Platforms that it can build now, emulated ones included. */
  platforms(signal?: AbortSignal): Promise<readonly Platform[]>;
  /** @throws BuilderError */
  build(request: BuildRequest): Promise<Digest>;
  /** @throws BuilderError when the command could not be tried at all */
  command(request: CommandRequest): Promise<CommandResult>;
}
