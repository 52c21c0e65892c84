import type { z } from 'zod';
import type { Mistake } from '../errors.ts';
import type { Path } from './document.ts';
import { suggestion } from './nearest.ts';

export interface IssueContext {
  readonly schema: z.ZodType;
  /** Keys that are described but not there yet, dotted from the top. */
  readonly planned: readonly string[];
  readonly mistake: (at: Path, message: string, remedy?: string) => Mistake;
  /** A scalar as written. */
  readonly sourceAt: (at: Path) => string | undefined;
}

type Issue = z.core.$ZodIssue;

/** What zod found, in words of the file: where, what is wrong, what to write instead. */
export function mistakesOfIssue(issue: Issue, context: IssueContext, above: Path = []): Mistake[] {
  const at = [...above, ...issue.path];
  const { mistake } = context;
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownKey(at, key, context));
    case 'invalid_type':
      return [wrongType(issue, at, context)];
    case 'invalid_value': {
      const values = issue.values.map(String);
      const written = context.sourceAt(at)?.replace(/^(["'])(.*)\1$/, '$2') ?? '';
      if (written === '') return [mistake(at, `${nameOf(at)} is missing`, `write one of ${values.join(', ')}`)];
      const near = suggestion(written, values);
      return [mistake(at, `${nameOf(at)} cannot be "${written}"`, near ?? `write one of ${values.join(', ')}`)];
    }
    case 'invalid_union':
      return unionMistakes(issue, at, context);
    case 'invalid_key':
      return [mistake(at, issue.issues[0]?.message ?? 'this is no name')];
    default:
      return [withRemedy(mistake, at, `${nameOf(at)} ${issue.message}`)];
  }
}

/** Messages of our schemas may carry their remedy behind a semicolon, as mistakes are printed. */
function withRemedy(mistake: IssueContext['mistake'], at: Path, message: string): Mistake {
  const [what = '', ...remedy] = message.split('; ');
  return remedy.length === 0 ? mistake(at, what) : mistake(at, what, remedy.join('; '));
}

function unknownKey(at: Path, key: string, context: IssueContext): Mistake {
  const place = [...at, key];
  const dotted = place.filter((part) => typeof part !== 'number').join('.');
  if (context.planned.includes(dotted)) return context.mistake(place, `"${key}" is not supported yet`, 'remove it');
  return context.mistake(place, `unknown key "${key}"`, suggestion(key, keysAt(context.schema, at)));
}

function wrongType(issue: Extract<Issue, { code: 'invalid_type' }>, at: Path, context: IssueContext): Mistake {
  const found = /received (\w+)$/.exec(issue.message)?.[1] ?? 'something else';
  if (found === 'undefined') return context.mistake(at, `${nameOf(at)} is missing`);
  const written = context.sourceAt(at);
  const quote = issue.expected === 'string' && written !== undefined && written !== '';
  const remedy = quote ? `put it in quotes: "${written}"` : undefined;
  return context.mistake(at, `${nameOf(at)} must be ${kindOf(issue.expected)}, not ${kindOf(found)}`, remedy);
}

/** The branch that fits the value's kind says most; when none does, the union's own message. */
function unionMistakes(issue: Extract<Issue, { code: 'invalid_union' }>, at: Path, context: IssueContext): Mistake[] {
  const fitting = issue.errors.find(
    (branch) => !branch.some(({ code, path }) => code === 'invalid_type' && path.length === 0),
  );
  if (fitting !== undefined) return fitting.flatMap((inner) => mistakesOfIssue(inner, context, at));
  return [withRemedy(context.mistake, at, `${nameOf(at)} ${issue.message}`)];
}

function nameOf(at: Path): string {
  const text = at.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
  return text === '' ? 'the file' : text.replace(/^\./, '');
}

function kindOf(type: string): string {
  const kinds: Record<string, string> = {
    string: 'a text',
    number: 'a number',
    int: 'a whole number',
    boolean: 'true or false',
    array: 'a list',
    object: 'a mapping',
    record: 'a mapping',
    null: 'empty',
  };
  return kinds[type] ?? type;
}

/** The keys that a schema knows at a path: for "did you mean". */
function keysAt(schema: z.core.$ZodType, at: Path): string[] {
  const { def } = schema._zod as unknown as { def: Definition };
  if (def.type === 'union') return def.options!.flatMap((option) => keysAt(option, at));
  const inner = def.innerType ?? (def.type === 'pipe' ? def.in : undefined);
  if (inner !== undefined) return keysAt(inner, at);
  const [first, ...rest] = at;
  if (def.shape !== undefined) {
    if (first === undefined) return Object.keys(def.shape);
    const next = def.shape[String(first)];
    return next === undefined ? [] : keysAt(next, rest);
  }
  if (first === undefined && def.keyType !== undefined) return keyNames(def.keyType);
  const below = def.element ?? def.valueType;
  return below === undefined || first === undefined ? [] : keysAt(below, rest);
}

/** A mapping whose keys are chosen from a list. */
function keyNames(schema: z.core.$ZodType): string[] {
  const { entries } = (schema._zod as unknown as { def: Definition }).def;
  return Object.values(entries ?? {});
}

interface Definition {
  readonly type: string;
  readonly options?: readonly z.core.$ZodType[];
  readonly innerType?: z.core.$ZodType;
  readonly in?: z.core.$ZodType;
  readonly shape?: Readonly<Record<string, z.core.$ZodType>>;
  readonly element?: z.core.$ZodType;
  readonly keyType?: z.core.$ZodType;
  readonly valueType?: z.core.$ZodType;
  readonly entries?: Readonly<Record<string, string>>;
}
