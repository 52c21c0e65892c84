import { parseReference, type Reference, repositoryOf } from '../reference.ts';
import { commentsBeside, type PinComment } from './comments.ts';
import { decideAdoption } from './decide-adoption.ts';
import { decidePin, type PinDecision } from './decide-pin.ts';
import { applyEdits, decodeUtf8, type Edit } from './edits.ts';
import type { Bump, BumpedPin, ImageChange, LeftPin, PinFormat, PinVersion, Wanted } from './format.ts';
import { createPlaceRange, type ImagePlace } from './place.ts';
import { isShared, versionEdits, wholeEdit } from './place-edits.ts';

/** What tells one kind of file from another. */
export interface TextFormat {
  readonly id: string;
  readonly isPath: (path: string) => boolean;
  /** Every place that names an image, in the order of the text. Never fails. */
  readonly places: (text: string) => readonly ImagePlace[];
}

/** A format of UTF-8 text: finding, deciding, editing and reporting are the same for all. */
export function createTextFormat({ id, isPath, places }: TextFormat): PinFormat {
  return {
    id,
    isPath,
    findPins(content, wanted) {
      const text = decodeUtf8(content);
      if (text === undefined || !mayHold(text, wanted)) return [];
      const isWanted = typeof wanted === 'function' ? wanted : (name: string) => wanted.includes(name);
      return places(text).flatMap((place) => {
        const reference = resolve(place);
        if (reference === undefined || !isWanted(repositoryOf(reference))) return [];
        const { line, column } = place.range;
        return [{ line, column, written: place.written, reference }];
      });
    },
    bump: (content, change) => bumpText(content, change, places),
  };
}

function bumpText(content: Uint8Array, change: ImageChange, places: TextFormat['places']): Bump {
  const text = decodeUtf8(content);
  if (text === undefined) return { content, pins: [], current: [], left: notText(content, change) };
  const names = [change.repository, ...(change.adopts ?? []).map(({ repository }) => repository)];
  if (!mayHold(text, names)) return { content, pins: [], current: [], left: [] };
  const all = places(text);
  const consider = createConsider(text, change);
  const settled = withoutConflicts(
    all.flatMap((place) => consider(place) ?? []),
    all,
  );
  const moved = settled.filter(({ decision }) => decision.kind === 'move');
  const edits = moved.flatMap((pin) => pin.edits);
  return {
    content: moved.length === 0 ? content : Buffer.from(applyEdits(text, edits)),
    pins: uniquePlaces(moved, text),
    current: settled
      .filter(({ decision }) => decision.kind === 'current')
      .map(({ place }) => ({ line: place.range.line, written: place.written })),
    left: settled.flatMap(({ place, decision }) => (decision.kind === 'leave' ? [left(place, decision)] : [])),
  };
}

interface Considered {
  readonly place: ImagePlace;
  readonly from: PinVersion;
  readonly decision: PinDecision;
  readonly edits: readonly Edit[];
}

function createConsider(text: string, change: ImageChange) {
  const lines = text.split('\n');
  const rangeOf = createPlaceRange(text);
  const besideOf = (place: ImagePlace): PinComment | undefined => {
    const ends = [place.range, ...place.pieces.filter(({ start }) => start >= 0)].map(({ end }) => rangeOf(end, end));
    const at = new Map(ends.map(({ line, column }) => [line, { line, column: column - 1 }]));
    at.set(place.range.line, at.get(place.range.line) ?? { line: place.range.line, column: place.range.column - 1 });
    return commentsBeside(lines, [...at.values()]);
  };
  return (place: ImagePlace): Considered | undefined => {
    const parsed = resolve(place);
    if (parsed === undefined) return considerUnknown(place, change);
    const { tag, digest } = parsed;
    const from = { ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
    const repository = repositoryOf(parsed);
    const isUpstream = change.adopts?.some((each) => each.repository === repository) === true;
    if (repository !== change.repository && !isUpstream) return undefined;
    const beside = besideOf(place);
    if (beside?.mistake !== undefined) return leftAlone({ place, from }, 'mistake', beside.mistake);
    const wanted = beside === undefined ? change : { ...change, policy: { ...change.policy, ...beside.policy } };
    return isUpstream ? adopt({ place, from }, parsed, wanted, text) : move({ place, from }, wanted, text);
  };
}

type Subject = Pick<Considered, 'place' | 'from'>;

function move({ place, from }: Subject, change: ImageChange, text: string): Considered {
  const decision = decidePin(from, change);
  if (decision.kind !== 'move') return { place, from, decision, edits: [] };
  const edits = place.fixed === undefined ? versionEdits(place, from, decision.to, text) : undefined;
  if (edits !== undefined) return { place, from, decision, edits };
  const why = place.fixed ?? 'its tag or digest is put together from several places; write it in one';
  return leftAlone({ place, from }, 'unsafe', why);
}

function adopt({ place, from }: Subject, parsed: Reference, change: ImageChange, text: string): Considered | undefined {
  const decision = decideAdoption(parsed, change);
  if (decision === undefined) return undefined;
  if (decision.kind === 'leave') return { place, from, decision, edits: [] };
  const edits = place.fixed === undefined ? wholeEdit(place, decision.reference, text) : undefined;
  if (edits !== undefined) return { place, from, decision, edits };
  return leftAlone({ place, from }, 'adoptable', `${decision.note}; write it in one place to have it moved`);
}

/** Not decided by the file, but it names the image: `FROM ghcr.io/acme/golden/debian:${VERSION}` without a default. */
function considerUnknown(place: ImagePlace, { repository }: ImageChange): Considered | undefined {
  const { written, unknown } = place;
  const name = repository.slice(repository.lastIndexOf('/') + 1);
  // A name may have dashes of its own, or a variable behind one: `debian-slim`, `debian-${ARCH}`.
  const names = [/[\s/@"'${}()]|:-?/, /[\s/:@"'${}()-]/].some((ends) => written.split(ends).includes(name));
  return unknown === undefined || !names ? undefined : leftAlone({ place, from: {} }, 'unsafe', unknown);
}

function leftAlone(pin: Subject, reason: LeftPin['reason'], message: string): Considered {
  return { ...pin, decision: { kind: 'leave', reason, message }, edits: [] };
}

function resolve({ resolved }: ImagePlace): Reference | undefined {
  try {
    return resolved === undefined ? undefined : parseReference(resolved);
  } catch {
    return undefined;
  }
}

/** A variable may serve several places: it moves only when all of them want the same. */
function withoutConflicts(found: readonly Considered[], places: readonly ImagePlace[]): readonly Considered[] {
  const shared = found.map(({ edits }) => edits.some((edit) => isShared(edit, places, found)));
  if (!shared.includes(true)) return found;
  const message = 'its variable serves another place as well, which needs another value';
  return withoutConflicts(
    found.map((pin, index) => (shared[index] ? leftAlone(pin, 'unsafe', message) : pin)),
    places,
  );
}

function uniquePlaces(moved: readonly Considered[], text: string): readonly BumpedPin[] {
  const rangeOf = createPlaceRange(text);
  const places = new Map<string, BumpedPin>();
  for (const { from, decision, edits } of moved) {
    if (decision.kind !== 'move') continue;
    const { line } = rangeOf(edits[0]!.start, edits[0]!.start);
    const note = decision.note === undefined ? {} : { note: decision.note };
    places.set(edits.map(({ start }) => start).join(), { line, from, to: decision.to, ...note });
  }
  return [...places.values()];
}

function left({ range, written }: ImagePlace, decision: PinDecision & { kind: 'leave' }): LeftPin {
  return { line: range.line, written, reason: decision.reason, message: decision.message };
}

function notText(content: Uint8Array, { repository }: ImageChange): LeftPin[] {
  const name = repository.slice(repository.lastIndexOf('/') + 1);
  if (!Buffer.from(content).includes(name)) return [];
  return [{ line: 1, written: repository, reason: 'not-text', message: 'the file is not UTF-8; save it as UTF-8' }];
}

/** A cheap look before parsing: some part of a name stands somewhere; a variable may be another part of it. */
function mayHold(text: string, wanted: Wanted): boolean {
  if (typeof wanted === 'function') return true;
  return wanted.some((name) => name.split('/').some((part) => text.includes(part)));
}
