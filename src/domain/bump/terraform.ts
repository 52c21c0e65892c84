import { HCL } from './code/languages.ts';
import { type Token, tokenize } from './code/tokens.ts';
import { createLookup, define, eachOnce, expandString, type Lookup, placeOf } from './code/values.ts';
import { createPlaceRange, type ImagePlace } from './place.ts';
import { createTextFormat } from './text-format.ts';

/** `image`, `container_image`, `image_uri` (Lambda), `image_identifier` (App Runner), `docker_image_name` (App Service). */
const IMAGE_KEY = /(?:^|_)image(?:_(?:uri|url|name|identifier|reference))?$/;

/** Terraform and OpenTofu: attributes that name an image, with variables' defaults and locals filled in. */
export const terraformFormat = createTextFormat({
  id: 'terraform',
  isPath: (path) => /\.(?:tf|tofu|tfvars|hcl)$/.test(path) && !path.endsWith('.terraform.lock.hcl'),
  places: terraformPlaces,
});

interface Attribute {
  readonly key: string;
  readonly value: readonly Token[];
  /** Headers of the blocks around it, outermost first: `variable image`. */
  readonly blocks: readonly string[];
}

function terraformPlaces(text: string): readonly ImagePlace[] {
  const rangeOf = createPlaceRange(text);
  const attributes = readAttributes(tokenize(text, HCL));
  const definitions = new Map<string, Token[]>();
  for (const { key, value, blocks } of attributes) {
    const [token, more] = value;
    const name = definedName(key, blocks);
    if (name !== undefined && more === undefined && token?.kind === 'string') define(definitions, name, token);
  }
  const lookup = createLookup(definitions);
  return eachOnce(
    attributes.flatMap((attribute) => {
      const { value } = attribute;
      if (value.length === 0 || !namesImage(attribute)) return [];
      return [placeOf(value, expandTokens(value, lookup), text, rangeOf)];
    }),
  );
}

function namesImage({ key, blocks }: Attribute): boolean {
  const block = blocks.at(-1) ?? '';
  if (key === 'name') return /^(?:resource|data) (?:docker_image|docker_registry_image) /.test(block);
  if (key === 'default') return IMAGE_KEY.test(/^variable (.+)$/.exec(block)?.[1] ?? '');
  return IMAGE_KEY.test(key);
}

function definedName(key: string, blocks: readonly string[]): string | undefined {
  const block = blocks.at(-1) ?? '';
  if (block === 'locals') return `local.${key}`;
  const variable = /^variable (.+)$/.exec(block)?.[1];
  return key === 'default' && variable !== undefined ? `var.${variable}` : undefined;
}

function expandTokens(tokens: readonly Token[], lookup: Lookup) {
  const [first, ...more] = tokens;
  if (first!.kind === 'string' && more.length === 0) return expandString(first!, lookup);
  const code = tokens.map(({ text }) => text).join('');
  return lookup(code) ?? { unknown: `"${code}" is not decided by the file; write the image out` };
}

/** Every `key = value` and `key: value`, in blocks and objects of any depth. */
function readAttributes(tokens: readonly Token[]): Attribute[] {
  const attributes: Attribute[] = [];
  const blocks: string[] = [];
  let line: Token[] = [];
  for (const [index, token] of tokens.entries()) {
    const isAssigned = token.text === '=' || token.text === ':';
    if (token.kind === 'newline' || token.text === ',') line = [];
    else if (token.text === '{' || token.text === '[' || token.text === '(') {
      blocks.push(line.map(plain).join(' '));
      line = [];
    } else if (token.text === '}' || token.text === ']' || token.text === ')') {
      blocks.pop();
      line = [];
    } else if (isAssigned && line.length === 1 && tokens[index + 1]?.text !== '=') {
      attributes.push({ key: plain(line[0]!), value: valueTokens(tokens, index + 1), blocks: [...blocks] });
      line = [];
    } else line.push(token);
  }
  return attributes;
}

/** Up to the end of the line, the next comma, or the bracket that closes what is around. */
function valueTokens(tokens: readonly Token[], from: number): Token[] {
  const value: Token[] = [];
  for (let depth = 0, index = from; index < tokens.length; index++) {
    const token = tokens[index]!;
    if (depth === 0 && (token.kind === 'newline' || /^[,}\])]$/.test(token.text))) break;
    if (/^[{[(]$/.test(token.text)) depth += 1;
    if (/^[}\])]$/.test(token.text)) depth -= 1;
    // An object or a list is no image; what is in it is read by itself.
    if (depth > 0 && /^[{[]$/.test(token.text) && value.length === 0) return [];
    value.push(token);
  }
  return value;
}

function plain({ kind, text }: Token): string {
  return kind === 'string' ? text.replace(/^"|"$/g, '') : text;
}
