import type { Language, StringRule } from './tokens.ts';

const double: StringRule = { open: '"', close: '"', escapes: true, multiline: false };
const single: StringRule = { open: "'", close: "'", escapes: true, multiline: false };
const tripleDouble: StringRule = { open: '"""', close: '"""', escapes: true, multiline: true };
const tripleSingle: StringRule = { open: "'''", close: "'''", escapes: true, multiline: true };

/** HCL native syntax specification: templates in quotes and heredocs. */
export const HCL: Language = {
  lineComments: ['#', '//'],
  blockComments: true,
  strings: [{ ...double, inserts: 'braces' }],
  name: /[\p{L}_][\p{L}\p{N}_-]*/u,
  heredocs: true,
};

/** Bazel's dialect of Python. */
export const STARLARK: Language = {
  lineComments: ['#'],
  blockComments: false,
  strings: [tripleDouble, tripleSingle, double, single],
  name: /[A-Za-z_]\w*/,
};

/** Groovy: a slash begins a string only where a value can begin. */
export const GROOVY: Language = {
  lineComments: ['//', '#!'],
  blockComments: true,
  strings: [
    { ...tripleDouble, inserts: 'names' },
    tripleSingle,
    { ...double, inserts: 'names' },
    single,
    { open: '$/', close: '/$', escapes: false, multiline: true, inserts: 'names' },
    { open: '/', close: '/', escapes: true, multiline: true, inserts: 'names' },
  ],
  name: /[A-Za-z_]\w*/,
  onlyAfter: { '/': /^[(,=~[:]$|^(?:return|in)$/, '$/': /^[(,=~[:]$|^(?:return|in)$/ },
};

/** TOML 1.0: strings in single quotes are literal. */
export const TOML: Language = {
  lineComments: ['#'],
  blockComments: false,
  strings: [tripleDouble, { ...tripleSingle, escapes: false }, double, { ...single, escapes: false }],
  name: /[A-Za-z0-9_-]+/,
};
