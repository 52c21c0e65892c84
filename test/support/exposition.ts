type Labels = Readonly<Record<string, string>>;

export interface Sample {
  readonly name: string;
  readonly labels: Labels;
  readonly value: number;
}

/** What a scrape gave. */
export interface Scrape {
  /** By name of the metric: `counter`, `gauge`, `histogram`, `summary`. */
  readonly types: ReadonlyMap<string, string>;
  readonly samples: readonly Sample[];
  /** The value of the one sample that has these labels, and perhaps others; `undefined` when there is none. */
  value(name: string, labels?: Labels): number | undefined;
  /** Of all that have these labels. */
  sum(name: string, labels?: Labels): number;
  readonly text: string;
}

const SAMPLE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (-?[\d.]+(?:e[+-]?\d+)?|[Nn]a[Nn]|[+-]?Inf)(?: \d+)?$/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\[\\"n])*)"(,|$)/y;
const ESCAPES: Labels = { '\\n': '\n', '\\"': '"', '\\\\': '\\' };

export async function scrape(address: string): Promise<Scrape> {
  const answer = await fetch(address);
  const text = await answer.text();
  const type = answer.headers.get('content-type');
  if (!answer.ok || !type?.startsWith('text/plain; version=0.0.4'))
    throw new Error(`${answer.status} ${type}: ${text}`);
  return readExposition(text);
}

/**
 * Reads the text format (Prometheus, Exposition formats, version 0.0.4) as strictly as it is written there.
 * @throws for a line that is none, a sample without a type, and one that is there twice
 */
export function readExposition(text: string): Scrape {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const types = new Map<string, string>();
  const samples: Sample[] = [];
  const seen = new Set<string>();
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('# HELP ')) continue;
    const type = /^# TYPE (\S+) (counter|gauge|histogram|summary|untyped)$/.exec(line);
    if (type !== null) {
      if (types.has(type[1]!)) throw new Error(`${type[1]} has two types`);
      types.set(type[1]!, type[2]!);
      continue;
    }
    const sample = readSample(line);
    if (!types.has(familyOf(sample.name, types))) throw new Error(`${sample.name} has no type`);
    const key = `${sample.name} ${JSON.stringify(Object.entries(sample.labels).sort())}`;
    if (seen.has(key)) throw new Error(`${key} is there twice`);
    seen.add(key);
    samples.push(sample);
  }
  const find = (name: string, labels: Labels = {}) =>
    samples.filter((each) => each.name === name && hasAll(each.labels, labels));
  return {
    ...{ types, samples, text },
    value(name, labels) {
      const found = find(name, labels);
      if (found.length > 1) throw new Error(`${name} ${JSON.stringify(labels)} has ${found.length} series`);
      return found[0]?.value;
    },
    sum: (name, labels) => find(name, labels).reduce((sum, { value }) => sum + value, 0),
  };
}

function readSample(line: string): Sample {
  const [, name, inner, value] = SAMPLE.exec(line) ?? [];
  if (name === undefined) throw new Error(`no line of the format: ${line}`);
  return {
    name,
    labels: inner === undefined ? {} : readLabels(inner),
    value: Number(value!.replace('Inf', 'Infinity')),
  };
}

function readLabels(text: string): Labels {
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < text.length) {
    const found = LABEL.exec(text);
    if (found === null) throw new Error(`no labels: ${text}`);
    labels[found[1]!] = found[2]!.replace(/\\[\\"n]/g, (escaped) => ESCAPES[escaped]!);
  }
  return labels;
}

/** Histograms and summaries have samples of other names. */
function familyOf(name: string, types: ReadonlyMap<string, string>): string {
  const base = name.replace(/_(bucket|sum|count)$/, '');
  return ['histogram', 'summary'].includes(types.get(base) ?? '') ? base : name;
}

function hasAll(labels: Labels, wanted: Labels): boolean {
  return Object.entries(wanted).every(([name, value]) => labels[name] === value);
}
