import { DNF_CONF, isDnfVariable, isRepoFile } from './rpm-files.ts';
import type { PackageState } from './state.ts';

/** A section of dnf.conf(5) or of a file in yum.repos.d: options by name. */
export interface DnfSection {
  readonly id: string;
  readonly options: ReadonlyMap<string, string>;
  /** The file that has it. */
  readonly file: string;
}

/** All sections in dnf's order, `main` among them; variables in them are filled in. The first of an id counts. */
export function dnfSectionsOf(state: Pick<PackageState, 'files' | 'architecture' | 'releasever' | 'os'>) {
  const { files } = state;
  const variables = variablesOf(state);
  const repositories = Object.keys(files).filter(isRepoFile).sort();
  const found = [...DNF_CONF, ...repositories].flatMap((file) =>
    files[file] === undefined ? [] : parseSections(substitute(textOf(files[file]), variables), file),
  );
  const sections = new Map<string, DnfSection>();
  for (const section of found) if (!sections.has(section.id)) sections.set(section.id, section);
  return sections as ReadonlyMap<string, DnfSection>;
}

/** Lines that begin with a blank go on with the value before; `#` and `;` begin comments. */
export function parseSections(text: string, file: string): readonly DnfSection[] {
  const sections: { id: string; options: Map<string, string>; file: string }[] = [];
  let last: string | undefined;
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*([#;]|$)/.test(line)) continue;
    const [, id] = /^\[([^\]]+)\]/.exec(line) ?? [];
    const section = sections.at(-1);
    const [, name, value = ''] = /^([\w.-]+)\s*[=:]\s*(.*)$/.exec(line) ?? [];
    if (id !== undefined) {
      sections.push({ id: id.trim(), options: new Map(), file });
      last = undefined;
    } else if (/^\s/.test(line) && section !== undefined && last !== undefined) {
      section.options.set(last, `${section.options.get(last)}\n${line.trim()}`.trim());
    } else if (name !== undefined && section !== undefined) {
      last = name.toLowerCase();
      section.options.set(last, value.trim());
    }
  }
  return sections;
}

/** `$basearch` of architectures whose own name it is not (dnf/rpm/__init__.py, _BASEARCH_MAP). */
const BASE_ARCHITECTURES: Readonly<Record<string, string>> = {
  ...{ i386: 'i386', i486: 'i386', i586: 'i386', i686: 'i386', athlon: 'i386', amd64: 'x86_64', x86_64_v2: 'x86_64' },
  ...{ armv7l: 'arm', armv7hl: 'armhfp', armv7hnl: 'armhfp', armv6hl: 'arm', ia32e: 'x86_64', x86_64_v3: 'x86_64' },
};

/** Files of variables have the last word; those of /etc before those of the distribution. */
function variablesOf({ files, architecture, releasever, os }: Parameters<typeof dnfSectionsOf>[0]) {
  const release = releasever ?? os.version;
  const variables = new Map<string, string>([
    ['arch', architecture],
    ['basearch', BASE_ARCHITECTURES[architecture] ?? architecture],
  ]);
  if (release !== undefined) {
    const [major = '', minor] = release.split('.');
    for (const [name, value] of [
      ['', release],
      ['_major', major],
      ['_minor', minor],
    ] as const)
      if (value !== undefined) variables.set(`releasever${name}`, value);
  }
  for (const path of Object.keys(files).filter(isDnfVariable).sort().reverse()) {
    const [line = ''] = textOf(files[path]).split('\n');
    variables.set(path.slice(path.lastIndexOf('/') + 1), line.trim());
  }
  return variables;
}

/** `$name` and `${name}`; unknown ones stay as they are. */
function substitute(text: string, variables: ReadonlyMap<string, string>): string {
  return text.replace(/\$(?:\{(\w+)\}|(\w+))/g, (whole, braced?: string, plain?: string) => {
    return variables.get((braced ?? plain)!.toLowerCase()) ?? variables.get((braced ?? plain)!) ?? whole;
  });
}

function textOf(content: Uint8Array | undefined): string {
  return new TextDecoder().decode(content);
}

/** dnf's words for a switch. */
export function isOn(value: string | undefined, otherwise: boolean): boolean {
  return value === undefined || value === '' ? otherwise : /^(1|yes|true|on|enabled)$/i.test(value);
}

/** Blanks, commas and line ends separate. */
export function wordsOf(value: string | undefined): readonly string[] {
  return (value ?? '').split(/[\s,]+/).filter(Boolean);
}
