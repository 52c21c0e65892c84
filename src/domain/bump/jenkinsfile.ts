import { GROOVY } from './code/languages.ts';
import { type Token, tokenize } from './code/tokens.ts';
import { createLookup, define, eachOnce, expandString, placeOf } from './code/values.ts';
import { createPlaceRange, type ImagePlace } from './place.ts';
import { createTextFormat } from './text-format.ts';

const STEPS = new Set(['docker', 'withDockerContainer', 'dockerNode', 'containerImage']);

/** Jenkinsfile: `docker 'x'`, `docker { image 'x' }`, `docker.image('x')`, `containerTemplate(image: 'x')`, `withDockerContainer('x')`. */
export const jenkinsfileFormat = createTextFormat({
  id: 'jenkinsfile',
  isPath: (path) => /(?:^|\/)[^/]*jenkinsfile[^/]*$|\.jenkins$|(?:^|\/)(?:vars|jenkins)\/[^/]+\.groovy$/i.test(path),
  places: jenkinsfilePlaces,
});

function jenkinsfilePlaces(text: string): readonly ImagePlace[] {
  const tokens = tokenize(text, GROOVY).filter(({ kind }) => kind !== 'newline');
  const rangeOf = createPlaceRange(text);
  const definitions = new Map<string, Token[]>();
  for (const [index, token] of tokens.entries()) {
    const [equals, value, after] = [tokens[index + 1], tokens[index + 2], tokens[index + 3]];
    const isWhole = !/^[+?.]$/.test(after?.text ?? '');
    if (token.kind !== 'name' || equals?.text !== '=' || tokens[index + 2] === undefined) continue;
    if (value?.text === '=') continue; // a comparison
    define(definitions, token.text, isWhole && value!.kind === 'string' ? value! : NOT_DECIDED);
  }
  const lookup = createLookup(definitions, (code) => code.replace(/^env\./, ''));
  return eachOnce(
    tokens.flatMap((token, index) => {
      if (!isImageName(tokens, index)) return [];
      const isWhole = !/^[+?.]$/.test(tokens[index + 1]?.text ?? '');
      const found = token.kind === 'string' ? expandString(token, lookup) : lookup(token.text);
      return [placeOf([token], (isWhole ? found : undefined) ?? { unknown: UNKNOWN }, text, rangeOf)];
    }),
  );
}

const UNKNOWN = 'it is not decided by the file; write the image out';
const NOT_DECIDED: Token = { kind: 'string', start: 0, end: 0, text: '', parts: [{ code: 'an expression' }] };

/** Whether the value at an index is what a step or agent is given as image. */
function isImageName(tokens: readonly Token[], index: number): boolean {
  const { kind, text } = tokens[index]!;
  const [before, second, third, fourth] = [1, 2, 3, 4].map((back) => tokens[index - back]?.text ?? '');
  if (kind !== 'string' && !(kind === 'name' && /[a-z]/i.test(text))) return false;
  if (before === '(') {
    const isCall = second === 'image' && third === '.' && fourth === 'docker';
    return isCall || STEPS.has(second!) || (second === 'image' && third !== '.');
  }
  if (kind !== 'string' && before !== ':') return before === 'image' && isAgentImage(tokens, index);
  if (before === ':') return second === 'image' || second === 'containerImage';
  if (before === 'docker') return second !== '.' && third !== '.';
  return before === 'image' && second !== '.';
}

/** `docker { image NAME }`, where the name stands for a string. */
function isAgentImage(tokens: readonly Token[], index: number): boolean {
  return tokens[index - 2]?.text === '{' || tokens[index - 2]?.kind === 'string';
}
