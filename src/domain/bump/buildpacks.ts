import { TOML } from './code/languages.ts';
import { type Token, tokenize } from './code/tokens.ts';
import { expandString, placeOf } from './code/values.ts';
import { createPlaceRange, type ImagePlace } from './place.ts';
import { createTextFormat } from './text-format.ts';

const KEYS = new Set(['builder', 'image', 'build-image', 'run-image', 'run-image-mirrors', 'mirrors', 'uri']);
const PREFIX = 'docker://';

/** Buildpacks: project.toml, builder.toml and package.toml (builder, build and run images, `docker://` buildpacks). */
export const buildpacksFormat = createTextFormat({
  id: 'buildpacks',
  isPath: (path) => /(?:^|\/)(?:project|builder|package)\.toml$/.test(path),
  places: buildpacksPlaces,
});

function buildpacksPlaces(text: string): readonly ImagePlace[] {
  const rangeOf = createPlaceRange(text);
  return assignedStrings(tokenize(text, TOML)).flatMap(({ key, token }) => {
    if (!KEYS.has(key)) return [];
    const value = withoutPrefix(token);
    const isLocation = key === 'uri' && value === token;
    return isLocation
      ? []
      : [
          placeOf(
            [value],
            expandString(value, () => undefined),
            text,
            rangeOf,
          ),
        ];
  });
}

/** Every string behind a key, those in lists and inline tables as well. */
function assignedStrings(tokens: readonly Token[]): { key: string; token: Token }[] {
  const found: { key: string; token: Token }[] = [];
  let [key, depth] = ['', 0];
  for (const [index, token] of tokens.entries()) {
    if (token.kind === 'newline' && depth === 0) key = '';
    if (token.text === '[' || token.text === '{') depth += 1;
    if (token.text === ']' || token.text === '}') depth -= 1;
    if (tokens[index + 1]?.text === '=') key = token.text.replaceAll(/["']/g, '');
    else if (token.kind === 'string' && key !== '') found.push({ key, token });
  }
  return found;
}

function withoutPrefix(token: Token): Token {
  const [part, ...more] = token.parts;
  if (part === undefined || more.length > 0 || !('word' in part) || !part.word.text.startsWith(PREFIX)) return token;
  const word = { text: part.word.text.slice(PREFIX.length), offsets: part.word.offsets.slice(PREFIX.length) };
  return { ...token, parts: [{ word }] };
}
