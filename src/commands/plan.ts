import { writeFile } from 'node:fs/promises';
import type { App } from '../compose.ts';
import type { FleetFacts } from '../domain/facts.ts';
import { drawPlan } from '../domain/plan-dot.ts';
import { planLines } from '../domain/plan-tree.ts';
import { relativesOf, type ViewedImage, viewPlan } from '../domain/plan-view.ts';
import { lookAhead } from '../domain/waves-ahead.ts';
import { parseSupposed, type Supposed } from '../domain/what-if.ts';
import { lookAtFacts } from '../flows/gather.ts';
import { lookWhatIf, type WhatIf } from '../flows/what-if.ts';
import { drawGraph } from '../lib/svg.ts';
import type { Output } from './output.ts';
import { planReport } from './plan-report.ts';
import { requireImages } from './require-images.ts';
import { whatIfLines } from './what-if-lines.ts';

export interface PlanOptions {
  readonly json: boolean;
  /** Images that need nothing as well. */
  readonly all: boolean;
  /** Only these, what they are built from and what is built on them; empty: all. */
  readonly images: readonly string[];
  /** `UPSTREAM` or `UPSTREAM=DIGEST`; empty: as things are. */
  readonly whatIf: readonly string[];
  /** Print the graph in Graphviz' language. */
  readonly dot: boolean;
  /** Draw the graph: into a file, or `true` for stdout. */
  readonly svg?: string | boolean | undefined;
  readonly signal: AbortSignal;
}

/** `ingot plan`: what would be done now, in order, and why; or what would come of an upstream that moves. Only reads. */
export async function planCommand(app: App, output: Output, options: PlanOptions): Promise<number> {
  const { images } = app.fleet;
  requireImages(options.images, images);
  const supposed = options.whatIf.flatMap((text) => parseSupposed(text, images));
  const facts = await lookAtFacts(app.cycle, options.signal);
  const whatIf = supposed.length === 0 ? undefined : await suppose(app, facts, supposed, options.signal);
  const ahead = whatIf?.ahead ?? lookAhead(facts);
  const all = viewPlan(images, ahead, whatIf?.invented ?? new Set());
  const wanted = options.images.length === 0 ? undefined : relativesOf(options.images, images);
  const views = all.filter(({ image }) => (wanted?.has(image) ?? true) && (whatIf?.reach.has(image) ?? true));
  await print(views, whatIf, output, options);
  return views.some(({ entry }) => entry.state === 'unknown') ? 4 : 0;
}

async function suppose(
  app: App,
  facts: FleetFacts,
  supposed: readonly Supposed[],
  signal: AbortSignal,
): Promise<WhatIf> {
  const downstreams = await app.downstreams.list(signal);
  return lookWhatIf(facts, supposed, { ...app.cycle, downstreams }, signal);
}

async function print(
  views: readonly ViewedImage[],
  whatIf: WhatIf | undefined,
  output: Output,
  { json, all, dot, svg }: PlanOptions,
): Promise<void> {
  if (json) return output.json(planReport(views, whatIf));
  if (!dot && svg === undefined) {
    const lines = whatIf === undefined ? planLines(views, { all }) : whatIfLines(views, whatIf, { all });
    return output.line(lines.join('\n'));
  }
  const picture = drawPlan(views, titleOf(whatIf));
  if (dot) return output.line(picture.source.trimEnd());
  const drawn = await drawGraph(picture);
  if (typeof svg !== 'string') return output.line(drawn.trimEnd());
  await writeFile(svg, drawn);
  output.line(`the graph is in ${svg}`);
}

function titleOf(whatIf: WhatIf | undefined): string {
  if (whatIf === undefined) return 'Plan';
  return `What if ${whatIf.upstreams.map(({ name }) => name).join(' and ')} moved`;
}
