/** Where a command says things: results on stdout, progress on stderr. */
export interface Output {
  line(text: string): void;
  /** One JSON document on stdout, and nothing else there. */
  json(value: unknown): void;
  readonly progress: NodeJS.WriteStream;
}

export function createOutput(stdout: NodeJS.WriteStream, stderr: NodeJS.WriteStream): Output {
  return {
    line: (text) => void stdout.write(`${text}\n`),
    json: (value) => void stdout.write(`${JSON.stringify(value, null, 2)}\n`),
    progress: stderr,
  };
}
