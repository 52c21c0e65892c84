import { StringDecoder } from 'node:string_decoder';
import { stripVTControlCharacters } from 'node:util';
import { z } from 'zod';

/** A line of `buildctl build --progress rawjson` (BuildKit client/graph.go, SolveStatus); the rest of a status is not needed. */
const Status = z.object({
  vertexes: z
    .array(z.object({ digest: z.string(), name: z.string().default(''), error: z.string().optional() }))
    .optional(),
  logs: z.array(z.object({ vertex: z.string(), stream: z.number(), data: z.base64() })).optional(),
  warnings: z.array(z.object({ short: z.base64().default('') })).optional(),
});

/** One step of a build, with its own output. */
export interface Step {
  /** `[2/3] RUN apt-get install curl` */
  readonly name: string;
  readonly error?: string;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  /** Lines of both streams in the order in which they came. */
  readonly lines: readonly string[];
}

export interface Progress {
  /** In the order in which BuildKit first named them. */
  readonly steps: readonly Step[];
  /** What buildctl itself said: at the end stands `error: failed to solve: …`. */
  readonly message: string;
}

interface Draft {
  name: string;
  error?: string;
  readonly chunks: { stdout: Buffer[]; stderr: Buffer[] };
  readonly lines: string[];
  readonly splitter: LineSplitter;
}

/** Reads all that `buildctl build --progress rawjson` wrote to stderr. Lines that are no status are buildctl's own words. */
export function readProgress(text: string): Progress {
  const drafts = new Map<string, Draft>();
  const words: string[] = [];
  for (const line of text.split('\n')) {
    const status = parseStatus(line);
    if (status === undefined) words.push(line);
    for (const { digest, name, error } of status?.vertexes ?? []) {
      const draft = draftOf(drafts, digest);
      draft.name = name;
      if (error) draft.error = error;
    }
    for (const { vertex, stream, data } of status?.logs ?? []) {
      const draft = draftOf(drafts, vertex);
      const bytes = Buffer.from(data, 'base64');
      draft.chunks[stream === 2 ? 'stderr' : 'stdout'].push(bytes);
      draft.splitter.add(String(stream), bytes);
    }
  }
  return { steps: [...drafts.values()].map(toStep), message: words.join('\n').trim() };
}

function draftOf(drafts: Map<string, Draft>, digest: string): Draft {
  const known = drafts.get(digest);
  if (known !== undefined) return known;
  const lines: string[] = [];
  const splitter = createLineSplitter((line) => lines.push(line));
  const draft: Draft = { name: '', chunks: { stdout: [], stderr: [] }, lines, splitter };
  drafts.set(digest, draft);
  return draft;
}

function toStep({ name, error, chunks, lines, splitter }: Draft): Step {
  splitter.end();
  const output = { stdout: Buffer.concat(chunks.stdout), stderr: Buffer.concat(chunks.stderr) };
  return { name, ...output, lines, ...(error === undefined ? {} : { error }) };
}

/** Takes the lines of buildctl's progress as they come and hands on the build's own output and its warnings, line by line. */
export function createLogReader(onLog: (line: string) => void): { read(line: string): void; end(): void } {
  const splitter = createLineSplitter(onLog);
  return {
    read(line) {
      const status = parseStatus(line);
      for (const { vertex, stream, data } of status?.logs ?? [])
        splitter.add(`${vertex}/${stream}`, Buffer.from(data, 'base64'));
      for (const { short } of status?.warnings ?? [])
        onLog(clean(`warning: ${Buffer.from(short, 'base64').toString('utf8')}`));
    },
    end: () => splitter.end(),
  };
}

function parseStatus(line: string): z.infer<typeof Status> | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return Status.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined; // one of buildctl's own words that starts with a brace
  }
}

interface LineSplitter {
  add(source: string, bytes: Buffer): void;
  /** Hands on what has no line end. */
  end(): void;
}

/** Chunks end anywhere, within a character as well; each source is put together for itself. */
function createLineSplitter(onLine: (line: string) => void): LineSplitter {
  const sources = new Map<string, { decoder: StringDecoder; rest: string }>();
  return {
    add(source, bytes) {
      const state = sources.get(source) ?? { decoder: new StringDecoder('utf8'), rest: '' };
      const lines = (state.rest + state.decoder.write(bytes)).split('\n');
      state.rest = lines.pop() ?? '';
      sources.set(source, state);
      for (const line of lines) onLine(clean(line));
    },
    end() {
      for (const { decoder, rest } of sources.values()) {
        const last = rest + decoder.end();
        if (last !== '') onLine(clean(last));
      }
      sources.clear();
    },
  };
}

const MAX_LINE = 4_000;

/** Without colours and cursor movements; of a line drawn over and over (`\r`) the last picture; bounded. */
function clean(line: string): string {
  const drawn = stripVTControlCharacters(line).replace(/\r+$/, '');
  return drawn.slice(drawn.lastIndexOf('\r') + 1).slice(0, MAX_LINE);
}
