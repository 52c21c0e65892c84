import { lineStartsOf } from '../dockerfile/instructions.ts';
import type { Word } from '../dockerfile/words.ts';
import { createPlaceRange, type ImagePlace, toPlace, wordPieces } from './place.ts';
import { createTextFormat } from './text-format.ts';

/** Podman Quadlet: `Image=` of .container, .image and .volume units (podman-systemd.unit(5)). */
export const quadletFormat = createTextFormat({
  id: 'quadlet',
  isPath: (path) => /\.(?:container|image|volume)$/.test(path),
  places: quadletPlaces,
});

const SECTIONS = new Set(['Container', 'Image', 'Volume']);

function quadletPlaces(text: string): readonly ImagePlace[] {
  const rangeOf = createPlaceRange(text);
  let section = '';
  return logicalLines(text).flatMap((line) => {
    const header = /^\s*\[([^\]]*)\]\s*$/.exec(line.text)?.[1];
    section = header ?? section;
    const assigned = /^[\s\uFEFF]*Image\s*=\s*(.*?)\s*$/.exec(line.text)?.[1];
    if (assigned === undefined || assigned === '' || !SECTIONS.has(section)) return [];
    const from = line.text.indexOf(assigned, line.text.indexOf('=') + 1);
    const value = withoutTransport(slice(line, from, from + assigned.length));
    return value === undefined ? [] : [placeOf(value)];
  });

  function placeOf(value: Word): ImagePlace {
    const range = rangeOf(value.offsets[0]!, value.offsets.at(-1)! + 1);
    const unknown = 'specifiers of systemd (%i) are filled in when the unit starts; write the version out';
    return toPlace(value.text, value.text.includes('%') ? { unknown } : { pieces: wordPieces(value) }, range);
  }
}

/** Other units (`x.image`, `x.build`) and archives are no images of a registry. */
function withoutTransport(value: Word): Word | undefined {
  if (/\.(?:image|build)$/.test(value.text)) return undefined;
  const transport = /^([a-z-]+):(?=\/|[^/:]+\/)/.exec(value.text)?.[1];
  if (value.text.startsWith('docker://')) return slice(value, 'docker://'.length);
  return transport !== undefined &&
    /^(?:oci|oci-archive|docker-archive|docker-daemon|dir|containers-storage)$/.test(transport)
    ? undefined
    : value;
}

/** Lines with those that a backslash continues, without comments (systemd.syntax(7)). */
function logicalLines(text: string): Word[] {
  const lines: Word[] = [];
  let open: Word | undefined;
  for (const [index, start] of lineStartsOf(text).entries()) {
    const end = lineStartsAfter(text, start);
    const raw = text.slice(start, end).replace(/\r$/, '');
    if (/^[\s\uFEFF]*[#;]/.test(raw)) continue; // also between continued lines
    const continues = raw.endsWith('\\');
    const kept = wordOf(raw.slice(0, continues ? -1 : undefined), start);
    const line: Word = open === undefined ? kept : join(open, kept);
    open = continues && index < text.length ? line : undefined;
    if (!continues) lines.push(line);
  }
  return open === undefined ? lines : [...lines, open];
}

function lineStartsAfter(text: string, start: number): number {
  const newline = text.indexOf('\n', start);
  return newline === -1 ? text.length : newline;
}

function wordOf(text: string, start: number): Word {
  return { text, offsets: Array.from({ length: text.length }, (_, index) => start + index) };
}

function join(a: Word, b: Word): Word {
  return { text: a.text + b.text, offsets: [...a.offsets, ...b.offsets] };
}

function slice({ text, offsets }: Word, start: number, end?: number): Word {
  return { text: text.slice(start, end), offsets: offsets.slice(start, end) };
}
