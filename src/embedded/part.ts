import type { ProcessId } from './processes.ts';

/** Finds a program by its name: a path, or the name itself for PATH to decide. */
export type FindTool = (name: string) => Promise<string>;

export type PartName = 'redis' | 'registry' | 'buildkit';

/** How a part is started: decided anew for each start. */
export interface Launch {
  readonly program: string;
  readonly args: readonly string[];
  /** Beside what every child gets. */
  readonly env?: Readonly<Record<string, string>>;
  /** Where it will answer. */
  readonly address: string;
  /** The signal that it gets from the kernel when we are killed. */
  readonly deathSignal: 'TERM' | 'KILL';
  /** Files that it may leave when it ends. */
  readonly leaves?: readonly string[];
  /** How long it may take to stop, in milliseconds; default ten seconds. */
  readonly stopMs?: number;
  /** The process to ask to stop; default: the child itself. */
  readonly target?: (pid: number) => Promise<number | undefined>;
}

/** One program that ingot brings along instead of an outside service. */
export interface Part {
  readonly name: PartName;
  /** Its own folder in the data directory; it exists. */
  readonly folder: string;
  /** Writes its files, clears what a killed one left. Called by the owner only, before each start. */
  prepare(): Promise<Launch>;
  /** Whether it answers properly there. */
  isReady(address: string, signal?: AbortSignal): Promise<boolean>;
}

/** What the owner of a part tells other processes: in `<folder>/state.json`. */
export interface PartState extends ProcessId {
  readonly address: string;
}
