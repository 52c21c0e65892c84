import type { Bump, Pin, PinFormat } from './format.ts';

/** Several formats for one file, as one: each moves what it finds, and what two of them find is told once. */
export function combineFormats(formats: readonly [PinFormat, ...PinFormat[]]): PinFormat {
  const [first, ...more] = formats;
  if (more.length === 0) return first;
  return {
    id: formats.map(({ id }) => id).join('+'),
    isPath: (path) => formats.some((format) => format.isPath(path)),
    findPins(content, wanted) {
      const found = formats.flatMap((format) => format.findPins(content, wanted));
      return [...new Map(found.toReversed().map((pin) => [placeOf(pin), pin])).values()].sort(byPlace);
    },
    bump: (content, change) =>
      formats.reduce<Bump>((before, format) => merge(before, format.bump(before.content, change)), {
        content,
        pins: [],
        current: [],
        left: [],
      }),
  };
}

/** What the later format finds on a line that the earlier one has spoken of is the same thing. */
function merge(before: Bump, after: Bump): Bump {
  const told = new Set([...before.pins, ...before.current, ...before.left].map(({ line }) => line));
  const isNew = ({ line }: { line: number }) => !told.has(line);
  return {
    content: after.content,
    pins: [...before.pins, ...after.pins],
    current: [...before.current, ...after.current.filter(isNew)],
    left: [...before.left, ...after.left.filter(isNew)],
  };
}

function placeOf({ line, reference }: Pin): string {
  return `${line} ${reference.repository} ${reference.tag} ${reference.digest}`;
}

function byPlace(a: Pin, b: Pin): number {
  return a.line - b.line || a.column - b.column;
}
