import type { Expansion, Piece } from '../dockerfile/expand.ts';
import { STARLARK } from './code/languages.ts';
import { type Token, tokenize } from './code/tokens.ts';
import { createLookup, define, expandString, type Lookup } from './code/values.ts';
import { createPlaceRange, glue, type ImagePlace, type PlaceRange, toPlace } from './place.ts';
import { createTextFormat } from './text-format.ts';

const PULLS = new Set(['oci.pull', 'oci_pull', 'container_pull', 'docker_pull', 'image_pull']);

/** Bazel: `oci.pull(image, tag, digest)` of rules_oci, `container_pull(registry, repository, tag, digest)` of rules_docker. */
export const bazelFormat = createTextFormat({
  id: 'bazel',
  isPath: (path) =>
    /(?:^|\/)(?:[^/]*\.)?(?:MODULE|WORKSPACE|BUILD)(?:\.bazel|\.bzlmod)?$|\.(?:bzl|MODULE\.bazel)$/.test(path),
  places: bazelPlaces,
});

type Arguments = ReadonlyMap<string, readonly Token[]>;

function bazelPlaces(text: string): readonly ImagePlace[] {
  const tokens = tokenize(text, STARLARK).filter(({ kind }) => kind !== 'newline');
  const rangeOf = createPlaceRange(text);
  const definitions = new Map<string, Token[]>();
  for (const [index, token] of tokens.entries()) {
    const [equals, value, after] = [tokens[index + 1], tokens[index + 2], tokens[index + 3]];
    const isWhole = after === undefined || !/^[+%.]$/.test(after.text);
    const isArgument = /^[(,]$/.test(tokens[index - 1]?.text ?? '');
    if (token.kind === 'name' && equals?.text === '=' && value?.kind === 'string' && isWhole && !isArgument)
      define(definitions, token.text, value);
  }
  const lookup = createLookup(definitions);
  return tokens.flatMap((token, index) => {
    if (token.text !== '(' || !PULLS.has(calledName(tokens, index))) return [];
    return pulledImage(readArguments(tokens, index + 1), lookup, rangeOf) ?? [];
  });
}

function calledName(tokens: readonly Token[], paren: number): string {
  const [object, dot, name] = [tokens[paren - 3], tokens[paren - 2], tokens[paren - 1]];
  return dot?.text === '.' ? `${object?.text}.${name?.text}` : (name?.text ?? '');
}

/** Keyword arguments up to the parenthesis that closes the call. */
function readArguments(tokens: readonly Token[], from: number): Arguments {
  const found = new Map<string, Token[]>();
  let key: string | undefined;
  for (let depth = 0, index = from; index < tokens.length; index++) {
    const token = tokens[index]!;
    if (depth === 0 && token.text === ')') break;
    if (/^[([{]$/.test(token.text)) depth += 1;
    if (/^[)\]}]$/.test(token.text)) depth -= 1;
    if (depth === 0 && token.text === ',') key = undefined;
    else if (key !== undefined) found.get(key)!.push(token);
    else if (token.text === '=') {
      key = tokens[index - 1]!.text;
      found.set(key, []);
    }
  }
  return found;
}

/** One reference from several arguments, so that each of them moves where it stands. */
function pulledImage(given: Arguments, lookup: Lookup, rangeOf: PlaceRange): ImagePlace | undefined {
  const [name, tag, digest] = [given.get('image') ?? given.get('repository'), given.get('tag'), given.get('digest')];
  if (name === undefined || name.length === 0) return undefined;
  const fields = [
    ...(given.has('image') ? [] : [{ before: '', tokens: given.get('registry') }]),
    { before: given.has('image') || !given.has('registry') ? '' : '/', tokens: name },
    { before: ':', tokens: tag },
    { before: '@', tokens: digest },
  ];
  const pieces: Piece[] = [];
  const range = rangeOf(name[0]!.start, name.at(-1)!.end);
  const written = [name, tag, digest].flatMap(
    (tokens) => tokens?.map(({ text }) => text.replaceAll(/["']/g, '')) ?? [],
  );
  for (const { before, tokens } of fields) {
    if (tokens === undefined || tokens.length === 0) continue;
    const value = expandTokens(tokens, lookup);
    if ('unknown' in value) return toPlace(written.join(' '), value, range);
    pieces.push(...(before === '' ? [] : [glue(before)]), ...value.pieces);
  }
  return { ...toPlace(written.join(' '), { pieces }, range), fields: true };
}

function expandTokens(tokens: readonly Token[], lookup: Lookup): Expansion {
  const [first, ...more] = tokens;
  const code = tokens.map(({ text }) => text).join('');
  if (more.length === 0 && first!.kind === 'string') return expandString(first!, lookup);
  return lookup(code) ?? { unknown: `"${code}" is not decided by the file; write the value out` };
}
