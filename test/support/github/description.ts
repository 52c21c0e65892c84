import { readFileSync } from 'node:fs';
import { Ajv, type ValidateFunction } from 'ajv';
import formats from 'ajv-formats';

// biome-ignore lint/suspicious/noExplicitAny: JSON of any shape
type Json = Record<string, any>;

/** GitHub's own description of its REST API, as far as the adapter uses it: tools/github-description/trim.mjs. */
const description: Json = JSON.parse(
  readFileSync(new URL('../../fixtures/github-openapi.json', import.meta.url), 'utf8'),
);
const ajv = new Ajv({ strict: false, allErrors: true, formats: { 'repo.nwo': true } });
formats.default(ajv);
ajv.addSchema({ components: absolute(description.components) }, 'github');

export interface Operation {
  /** `GET /repos/{owner}/{repo}` */
  readonly name: string;
  readonly parameters: Readonly<Record<string, string>>;
  /** What is wrong with a request, in words. */
  requestMistakes(query: URLSearchParams, body: unknown): readonly string[];
  responseMistakes(status: number, body: unknown): readonly string[];
  /** An answer with all that the description wants to be there. */
  complete(status: number, body: unknown): unknown;
}

const PATHS = Object.keys(description.paths).map((path) => {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!);
  // Refs and comparisons have slashes in them
  const pattern = path.replaceAll(/\{(\w+)\}/g, (_, name) => (/^(ref|basehead)$/.test(name) ? '(.+)' : '([^/]+)'));
  return { path, names, pattern: new RegExp(`^${pattern}$`) };
});

export function findOperation(method: string, path: string): Operation | undefined {
  for (const known of PATHS) {
    const match = known.pattern.exec(path);
    const verb = method.toLowerCase();
    if (match === null || description.paths[known.path][verb] === undefined) continue;
    const parameters = Object.fromEntries(
      known.names.map((name, index) => [name, decodeURIComponent(match[index + 1]!)]),
    );
    return operationOf(known.path, verb, parameters);
  }
  return undefined;
}

function operationOf(path: string, verb: string, parameters: Operation['parameters']): Operation {
  const operation: Json = description.paths[path][verb];
  const known: Json[] = (operation.parameters ?? []).map(resolved);
  return {
    name: `${verb.toUpperCase()} ${path}`,
    parameters,
    requestMistakes(query, body) {
      const strange = [...query.keys()].filter(
        (key) => !known.some((each) => each.in === 'query' && each.name === key),
      );
      const schema = resolved(operation.requestBody ?? {}).content?.['application/json']?.schema;
      const missing = schema === undefined && body !== undefined ? ['there is no body'] : [];
      return [
        ...strange.map((key) => `there is no parameter ${key}`),
        ...missing,
        ...(schema === undefined ? [] : mistakesOf(schema, body ?? {})),
      ];
    },
    responseMistakes(status, body) {
      const answer = resolved(operation.responses[status] ?? {});
      // Not each operation lists what any may answer
      const isUsual = [401, 403, 404, 429].includes(status);
      if (operation.responses[status] === undefined) return isUsual ? [] : [`there is no answer ${status}`];
      const schema = answer.content?.['application/json']?.schema;
      return schema === undefined ? [] : mistakesOf(schema, body);
    },
    complete(status, body) {
      const schema = resolved(operation.responses[status] ?? {}).content?.['application/json']?.schema;
      return schema === undefined ? body : completed(schema, body);
    },
  };
}

function resolved(node: Json): Json {
  if (typeof node.$ref !== 'string') return node;
  const found = node.$ref
    .slice(2)
    .split('/')
    .reduce((at: Json, key: string) => at[key.replaceAll('~1', '/')], description);
  return resolved(found);
}

const validators = new Map<Json, ValidateFunction>();

function mistakesOf(schema: Json, value: unknown): string[] {
  let validate = validators.get(schema);
  if (validate === undefined) {
    validate = ajv.compile(absolute(schema));
    validators.set(schema, validate);
  }
  if (validate(value)) return [];
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath || 'it'} ${message}`);
}

/** References of a part of the description are to the whole; null is a type of its own in JSON Schema. */
// biome-ignore lint/suspicious/noExplicitAny: JSON of any shape
function absolute(node: any): any {
  if (Array.isArray(node)) return node.map(absolute);
  if (node === null || typeof node !== 'object') return node;
  const entries = Object.entries(node).map(([key, value]) => [
    key,
    key === '$ref' && typeof value === 'string' ? `github${value}` : absolute(value),
  ]);
  const { nullable, ...rest } = Object.fromEntries(entries);
  return nullable === true ? { anyOf: [rest, { type: 'null' }] } : { ...rest, ...(nullable && { nullable }) };
}

/** What is said, and of the rest what has to be there. */
// biome-ignore lint/suspicious/noExplicitAny: JSON of any shape
function completed(given: Json, said: any): unknown {
  const schema = resolved(given);
  if (said === null) return null;
  if (Array.isArray(said)) return said.map((each) => completed(schema.items ?? {}, each));
  if (said !== undefined && typeof said !== 'object') return said;
  if (said === undefined && schema.nullable) return null;
  const first = schema.oneOf?.[0] ?? schema.anyOf?.[0];
  if (first !== undefined && schema.properties === undefined) return completed(first, said);
  if (schema.allOf) return Object.assign({}, ...schema.allOf.map((each: Json) => completed(each, said)), said);
  if (said === undefined && schema.type !== 'object' && schema.properties === undefined) return sampleOf(schema);
  const keys = new Set([...(schema.required ?? []), ...Object.keys(said ?? {})]);
  return Object.fromEntries([...keys].map((key) => [key, completed(schema.properties?.[key] ?? {}, said?.[key])]));
}

function sampleOf({ type, format, minimum = 1, ...schema }: Json): unknown {
  if (schema.enum) return schema.enum[0];
  if (type === 'array') return [];
  if (type === 'integer' || type === 'number') return minimum;
  if (type === 'boolean') return false;
  if (format === 'uri') return 'https://github.example/';
  if (format === 'date-time') return '2026-01-01T00:00:00Z';
  return type === 'string' ? 'x' : {};
}
