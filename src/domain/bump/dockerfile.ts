import { type DockerfileReference, parseDockerfile } from '../dockerfile/parse.ts';
import { parseReference, type Reference, repositoryOf } from '../reference.ts';
import { decidePin, type PinDecision } from './decide-pin.ts';
import { applyEdits, decodeUtf8, type Edit, overlaps, sameEdit } from './edits.ts';
import type { Bump, ImageChange, LeftPin, Pin, PinFormat, PinVersion } from './format.ts';

const NAME = /(?:^|[/.])(?:docker|container)file$|(?:^|\/)(?:docker|container)file[^/]*$/i;

/** Dockerfile and Containerfile: FROM with ARG defaults, COPY --from, RUN --mount=from. */
export const dockerfileFormat: PinFormat = {
  id: 'dockerfile',
  isPath: isDockerfilePath,
  findPins: findDockerfilePins,
  bump: bumpDockerfile,
};

export function isDockerfilePath(path: string): boolean {
  return NAME.test(path) && !path.endsWith('.dockerignore');
}

/** The places of a Dockerfile that name one of the repositories; empty for a file that is not UTF-8. */
export function findDockerfilePins(content: Uint8Array, repositories: readonly string[]): readonly Pin[] {
  const text = decodeUtf8(content);
  if (text === undefined || !repositories.some((name) => mentions(text, name))) return [];
  return parseDockerfile(text).references.flatMap((found) => {
    const reference = resolve(found);
    if (reference === undefined || !repositories.includes(repositoryOf(reference))) return [];
    const { line, column } = found.range;
    return [{ line, column, written: found.written, reference }];
  });
}

/** Moves every pin of one image in a Dockerfile. What cannot be moved for certain is reported, never guessed. */
export function bumpDockerfile(content: Uint8Array, change: ImageChange): Bump {
  const text = decodeUtf8(content);
  if (text === undefined) return { content, pins: [], current: [], left: notText(content, change) };
  if (!mentions(text, change.repository)) return { content, pins: [], current: [], left: [] };
  const { references } = parseDockerfile(text);
  const found = references.flatMap((reference) => consider(reference, change, text) ?? []);
  const settled = withoutConflicts(found, references);
  const moved = settled.filter((pin) => pin.decision.kind === 'move');
  return {
    content:
      moved.length === 0
        ? content
        : Buffer.from(
            applyEdits(
              text,
              moved.flatMap(({ edits }) => edits),
            ),
          ),
    pins: uniquePlaces(moved, text),
    current: settled
      .filter(({ decision }) => decision.kind === 'current')
      .map(({ reference }) => ({ line: reference.range.line, written: reference.written })),
    left: settled.flatMap(({ reference, decision }) => (decision.kind === 'leave' ? [left(reference, decision)] : [])),
  };
}

interface Considered {
  readonly reference: DockerfileReference;
  readonly from: PinVersion;
  readonly decision: PinDecision;
  readonly edits: readonly Edit[];
}

function consider(reference: DockerfileReference, change: ImageChange, text: string): Considered | undefined {
  const parsed = resolve(reference);
  if (parsed === undefined) return considerUnknown(reference, change);
  if (repositoryOf(parsed) !== change.repository) return undefined;
  const { tag, digest } = parsed;
  const from = { ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
  const decision = decidePin(from, change);
  if (decision.kind !== 'move') return { reference, from, decision, edits: [] };
  const edits = editsFor(reference, from, decision.to, text);
  if (edits !== undefined) return { reference, from, decision, edits };
  return unsafe({ reference, from }, 'its tag or digest is put together from several places; write it in one');
}

/** Not decided by the file, but it names the image: `FROM ghcr.io/acme/golden/debian:${VERSION}` without a default. */
function considerUnknown(reference: DockerfileReference, { repository }: ImageChange): Considered | undefined {
  const { written, unknown } = reference;
  const name = repository.slice(repository.lastIndexOf('/') + 1);
  const names = written.split(/[/:@"'${}-]/).includes(name);
  return unknown === undefined || !names ? undefined : unsafe({ reference, from: {} }, unknown);
}

function unsafe(pin: Pick<Considered, 'reference' | 'from'>, message: string): Considered {
  return { ...pin, decision: { kind: 'leave', reason: 'unsafe', message }, edits: [] };
}

function resolve({ resolved }: DockerfileReference): Reference | undefined {
  try {
    return resolved === undefined ? undefined : parseReference(resolved);
  } catch {
    return undefined;
  }
}

/** Edits for the tag and the digest, each where its characters stand; `undefined` when they stand apart. */
function editsFor(reference: DockerfileReference, from: PinVersion, to: PinVersion, text: string): Edit[] | undefined {
  const resolved = reference.resolved!;
  const at = from.digest === undefined ? resolved.length : resolved.length - from.digest.length - 1;
  const wanted: { start: number; end: number; text: string }[] = [];
  if (to.tag !== undefined && to.tag !== from.tag) wanted.push({ start: at - from.tag!.length, end: at, text: to.tag });
  if (to.digest !== undefined && to.digest !== from.digest)
    wanted.push({ start: at + 1, end: resolved.length, text: to.digest });
  const edits = wanted.map((edit) => inFile(edit, reference, text));
  return edits.every((edit) => edit !== undefined) ? edits : undefined;
}

function inFile(edit: Edit, { pieces }: DockerfileReference, text: string): Edit | undefined {
  let offset = 0;
  for (const piece of pieces) {
    const [from, to] = [offset, offset + piece.text.length];
    offset = to;
    if (edit.start < from || edit.end > to) continue;
    const start = piece.start + edit.start - from;
    const end = start + edit.end - edit.start;
    return text.slice(piece.start, piece.end) === piece.text ? { start, end, text: edit.text } : undefined;
  }
  return undefined;
}

/** An ARG may serve several lines: it moves only when all of them want the same. */
function withoutConflicts(
  found: readonly Considered[],
  references: readonly DockerfileReference[],
): readonly Considered[] {
  const wants = (reference: DockerfileReference, edit: Edit) =>
    found.some((other) => other.reference === reference && other.edits.some((each) => sameEdit(each, edit)));
  const isShared = (edit: Edit) =>
    references.some((other) => other.pieces.some((piece) => overlaps(piece, edit)) && !wants(other, edit));
  const settled = found.map((pin) =>
    pin.edits.some(isShared) ? unsafe(pin, 'its ARG serves another line as well, which needs another value') : pin,
  );
  const changed = settled.some((pin, index) => pin !== found[index]);
  return changed ? withoutConflicts(settled, references) : settled;
}

function uniquePlaces(moved: readonly Considered[], text: string): Bump['pins'] {
  const places = new Map<string, Bump['pins'][number]>();
  for (const { from, decision, edits } of moved) {
    const line = text.slice(0, edits[0]!.start).split('\n').length;
    const to = decision.kind === 'move' ? decision.to : {};
    places.set(edits.map(({ start }) => start).join(), { line, from, to });
  }
  return [...places.values()];
}

function left({ range, written }: DockerfileReference, decision: PinDecision & { kind: 'leave' }): LeftPin {
  return { line: range.line, written, reason: decision.reason, message: decision.message };
}

function notText(content: Uint8Array, { repository }: ImageChange): LeftPin[] {
  if (!mentions(Buffer.from(content).toString('latin1'), repository)) return [];
  return [{ line: 1, written: repository, reason: 'not-text', message: 'the file is not UTF-8; save it as UTF-8' }];
}

/** A cheap look before parsing: the last part of the name stands somewhere. */
function mentions(text: string, repository: string): boolean {
  return text.includes(repository.slice(repository.lastIndexOf('/') + 1));
}
