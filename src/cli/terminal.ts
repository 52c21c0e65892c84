import type { Output } from '../commands/output.ts';
import type { App } from '../compose.ts';

/** Options that every verb has. */
export type Common = { readonly root: string; readonly json: boolean };

/** What a verb needs of the process that it runs in. */
export interface Terminal {
  readonly output: Output;
  /** Aborted by SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
  /** Runs one verb with the factory put together, and takes it apart again whatever happens. The verb returns the exit code. */
  withApp(root: string, verb: (app: App) => Promise<number>): Promise<void>;
  setExitCode(code: number): void;
}
