import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const ADAPTERS = [
  'builder',
  'definitions',
  'embedded',
  'forge',
  'gates',
  'ledger',
  'notify',
  'packages',
  'queue',
  'registry',
  'scanner',
  'signer',
];
const PARSERS = ['node:crypto', 'zod', 'semver', 'yaml', 'jsonc-parser', 'canonicalize', 'dockerfile-ast', 're2js'];

const ENTRIES = [
  'src/compose.ts',
  'src/cli.ts',
  ...['compose', 'processes'].flatMap((folder) =>
    readdirSync(join(ROOT, 'src', folder)).map((name) => `src/${folder}/${name}`),
  ),
];
const FLOW_PACKAGES = /^(zod|p-limit|node:(path|util))$/;

/** Types and small pure helpers that define the wall of an area: what others may know of it. */
const PORT_FILES = [
  'src/packages/archives.ts',
  'src/queue/dispatcher.ts',
  'src/queue/run-queue.ts',
  'src/ledger/access.ts',
  'src/ledger/freshness.ts',
  'src/ledger/hooks.ts',
  'src/ledger/notifications.ts',
  'src/service/hooks.ts',
  'src/ledger/store.ts',
  'src/signer/statements.ts',
  'src/registry/manifest.ts',
];

/** Imports that break a rule and are right all the same. An exception that nobody needs any more fails a test. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  'src/commands/doctor.ts -> src/embedded/binfmt.ts': 'doctor tells about the machine, and emulation is a part of it',
  'src/commands/doctor.ts -> scripts/parts.mjs':
    'set-up runs on any Node, so that the list of parts is plain JavaScript',
  'src/commands/keys.ts -> src/signer/key.ts': 'a key pair is made before there is a fleet to put together',
  'src/definitions/context.ts -> src/flows/build.ts': 'implements the type PreparedContext, which a build asks for',
};

interface Import {
  readonly file: string;
  /** Path from the root for our own files, else the package. */
  readonly target: string;
  /** Erased when it runs. */
  readonly typeOnly: boolean;
}

const files = ['src', 'workers'].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => join(folder, path)),
);
const texts = new Map(files.map((file) => [file, readFileSync(join(ROOT, file), 'utf8')]));
const imports = files.flatMap(importsOf);

function importsOf(file: string): Import[] {
  const text = texts.get(file)!;
  const statements = /^(import|export)( type)?\s(?:[^;'"]*?\sfrom\s)?'([^']+)';/gm;
  const found = [...text.matchAll(statements)].map(([, , type, target = '']) => ({ target, typeOnly: !!type }));
  const dynamic = [...text.matchAll(/\bimport\(\s*'([^']+)'/g)].map(([, target = '']) => ({ target, typeOnly: false }));
  return [...found, ...dynamic].map(({ target, typeOnly }) => ({ file, target: resolve(file, target), typeOnly }));
}

function resolve(file: string, target: string): string {
  return target.startsWith('.') ? normalize(join(dirname(file), target)) : target;
}

/** `flows` of src/flows/steps.ts; the file itself for src/cli.ts; `workers`; `npm` for what is not ours. */
function areaOf(path: string): string {
  const [top, second = '', third] = path.split('/');
  if (top === 'workers') return 'workers';
  if (top !== 'src') return path.startsWith('scripts/') ? 'scripts' : 'npm';
  return third === undefined ? path : second;
}

function isPort(path: string): boolean {
  const area = areaOf(path);
  if (area === 'embedded') return false; // its main file starts processes: an adapter
  return path === `src/${area}/${area}.ts` || PORT_FILES.includes(path);
}

/** What breaks the rule, without the exceptions. */
function violations(of: (each: Import) => boolean, isAllowed: (each: Import) => boolean): string[] {
  return imports
    .filter((each) => of(each) && !isAllowed(each))
    .map(({ file, target }) => `${file} -> ${target}`)
    .filter((line) => !(line in EXCEPTIONS));
}

const isOwn = ({ target }: Import) => areaOf(target) !== 'npm';

describe('imports', () => {
  test('are found, in all the forms that we write', () => {
    const specifiers = [...texts.values()].join('\n').match(/\bfrom '/g)!.length;

    expect(imports.length).toBeGreaterThanOrEqual(specifiers);
    expect(files.length).toBeGreaterThan(100);
  });

  test('name files that are there', () => {
    const missing = imports.filter(({ target }) => areaOf(target) !== 'npm' && areaOf(target) !== 'scripts');

    expect(
      missing.filter(({ target }) => !texts.has(target)).map(({ file, target }) => `${file} -> ${target}`),
    ).toEqual([]);
  });

  test('of domain are domain and pure parsers', () => {
    const found = violations(
      ({ file }) => areaOf(file) === 'domain',
      ({ target }) => areaOf(target) === 'domain' || PARSERS.includes(target),
    );

    expect(found).toEqual([]);
  });

  test('of lib are lib and domain', () => {
    const found = violations(
      (each) => areaOf(each.file) === 'lib' && isOwn(each),
      ({ target }) => ['lib', 'domain'].includes(areaOf(target)),
    );

    expect(found).toEqual([]);
  });

  test('of flows are domain, ports, image and flows; of packages only zod, for what a registry gave back', () => {
    const found = violations(
      ({ file }) => areaOf(file) === 'flows',
      ({ target }) =>
        ['domain', 'flows', 'image'].includes(areaOf(target)) || isPort(target) || FLOW_PACKAGES.test(target),
    );

    expect(found).toEqual([]);
  });

  test('of image are domain, lib, ports and image', () => {
    const found = violations(
      (each) => areaOf(each.file) === 'image' && isOwn(each),
      ({ target }) => ['domain', 'lib', 'image'].includes(areaOf(target)) || isPort(target),
    );

    expect(found).toEqual([]);
  });

  test('of an adapter are its own area, domain, lib and ports, never another adapter', () => {
    const found = violations(
      (each) => ADAPTERS.includes(areaOf(each.file)) && isOwn(each),
      ({ file, target }) => [areaOf(file), 'domain', 'lib'].includes(areaOf(target)) || isPort(target),
    );

    expect(found).toEqual([]);
  });

  test('of a port name no adapter', () => {
    const found = violations(
      (each) => isPort(each.file) && isOwn(each),
      ({ target }) => areaOf(target) === 'domain' || isPort(target),
    );

    expect(found).toEqual([]);
  });

  test('of commands are flows, ports and domain; adapters come from compose', () => {
    const allowed = ['commands', 'client', 'access', 'flows', 'domain', 'lib', 'src/compose.ts'];
    const found = violations(
      (each) => areaOf(each.file) === 'commands' && isOwn(each),
      ({ target }) => allowed.includes(areaOf(target)) || isPort(target),
    );

    expect(found).toEqual([]);
  });

  test('of service are flows, ports, domain, lib and service: it runs on any adapters', () => {
    const found = violations(
      (each) => areaOf(each.file) === 'service' && isOwn(each),
      ({ target }) => ['service', 'flows', 'domain', 'lib'].includes(areaOf(target)) || isPort(target),
    );

    expect(found).toEqual([]);
  });

  test('of access are the port of the service, domain, lib and access', () => {
    const found = violations(
      (each) => areaOf(each.file) === 'access' && isOwn(each),
      ({ target }) => ['access', 'domain', 'lib'].includes(areaOf(target)) || isPort(target),
    );

    expect(found).toEqual([]);
  });

  test('of hooks are domain and hooks: they only read what others wrote', () => {
    const found = violations(
      (each) => areaOf(each.file) === 'hooks' && isOwn(each),
      ({ target }) => ['hooks', 'domain'].includes(areaOf(target)),
    );

    expect(found).toEqual([]);
  });

  test('of api are access, hooks, the service, domain, lib and api', () => {
    const found = violations(
      (each) => areaOf(each.file) === 'api' && isOwn(each),
      ({ target }) =>
        ['api', 'access', 'hooks', 'domain', 'lib', 'src/version.ts'].includes(areaOf(target)) || isPort(target),
    );

    expect(found).toEqual([]);
  });

  test('of telemetry are ports, domain, lib and telemetry: it looks on', () => {
    const found = violations(
      (each) => areaOf(each.file) === 'telemetry' && isOwn(each),
      ({ target }) => ['telemetry', 'domain', 'lib'].includes(areaOf(target)) || isPort(target),
    );

    expect(found).toEqual([]);
  });

  test('of dashboard are api, access, the port of the service, domain, lib and dashboard', () => {
    const allowed = ['dashboard', 'api', 'access', 'domain', 'lib', 'src/version.ts'];
    const found = violations(
      (each) => areaOf(each.file) === 'dashboard' && isOwn(each),
      ({ target }) => allowed.includes(areaOf(target)) || isPort(target),
    );

    expect(found).toEqual([]);
  });

  test('of several adapters are in compose, entries and workers alone', () => {
    const naming = files.filter((file) => !ENTRIES.includes(file) && areaOf(file) !== 'workers');
    const several = naming.filter((file) => adaptersNamedBy(file).size > 1);

    expect(several).toEqual([]);
  });

  test('need every exception that is written down', () => {
    const lines = new Set(imports.map(({ file, target }) => `${file} -> ${target}`));

    expect(Object.keys(EXCEPTIONS).filter((line) => !lines.has(line))).toEqual([]);
  });
});

function adaptersNamedBy(file: string): Set<string> {
  const named = imports
    .filter((each) => each.file === file && !isPort(each.target))
    .map(({ target }) => areaOf(target));
  return new Set(named.filter((area) => ADAPTERS.includes(area)));
}

describe('what only one place may do', () => {
  test.each([
    ['execa', /^src\/lib\/exec\.ts$/],
    ['undici', /^src\/lib\/http\.ts$/],
    ['bullmq', /^(src\/(queue|ledger)|workers)\//],
    ['ioredis', /^(src\/(queue|ledger)|workers)\//],
    ['prom-client', /^src\/telemetry\//],
    ['bullmq-otel', /^src\/queue\/tracing\.ts$/],
    ['@opentelemetry/sdk-trace', /^src\/telemetry\/traces\.ts$/],
    // Children that outlive a call and end with their parent; all others go through lib/exec.ts.
    ['node:child_process', /^src\/embedded\//],
    ['node:http', /^$/],
    ['node:https', /^$/],
  ])('%s is used at its place', (name, place) => {
    const found = imports.filter(({ file, target }) => target === name && !place.test(file));

    expect(found.map(({ file }) => file)).toEqual([]);
  });

  test('process.env is read in config.ts and lib/exec.ts', () => {
    const readers = files.filter((file) => /\bprocess\.env\b/.test(texts.get(file)!));

    expect(readers.sort()).toEqual(['src/config.ts', 'src/lib/exec.ts']);
  });

  test('domain and flows have no clock, no randomness and no global fetch', () => {
    const pure = files.filter((file) => ['domain', 'flows'].includes(areaOf(file)));
    const impure = /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\bperformance\.now\(|(?<![.\w])fetch\(/;

    expect(pure.filter((file) => impure.test(texts.get(file)!))).toEqual([]);
  });
});

describe('files', () => {
  test('import each other in no circle when they run', () => {
    const edges = imports.filter(({ typeOnly }) => !typeOnly);

    expect(cycleIn(edges.map(({ file, target }) => [file, target]))).toEqual([]);
  });

  test('of different areas import each other in no circle, types included', () => {
    const edges = imports.map(({ file, target }) => [areaOf(file), areaOf(target)] as const);

    expect(cycleIn(edges.filter(([from, to]) => from !== to))).toEqual([]);
  });

  test('have at most 300 lines', () => {
    const long = files.filter((file) => texts.get(file)!.trimEnd().split('\n').length > 300);

    expect(long).toEqual([]);
  });

  test('export by name, with nothing that type stripping refuses', () => {
    const refused = /^export default\b|^\s*(export )?(const )?enum \w|^\s*(export )?namespace \w|^export \* from/m;

    expect(files.filter((file) => refused.test(texts.get(file)!))).toEqual([]);
  });
});

/** The first circle, as the way round; empty when there is none. */
function cycleIn(edges: readonly (readonly [string, string])[]): readonly string[] {
  const next = Map.groupBy(edges, ([from]) => from);
  const finished = new Set<string>();
  const visit = (node: string, path: readonly string[]): readonly string[] => {
    if (path.includes(node)) return [...path.slice(path.indexOf(node)), node];
    if (finished.has(node)) return [];
    for (const [, target] of next.get(node) ?? []) {
      const cycle = visit(target, [...path, node]);
      if (cycle.length > 0) return cycle;
    }
    finished.add(node);
    return [];
  };
  for (const node of next.keys()) {
    const cycle = visit(node, []);
    if (cycle.length > 0) return cycle;
  }
  return [];
}
