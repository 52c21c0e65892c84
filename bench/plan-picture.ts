import { writeFile } from 'node:fs/promises';
import { drawPlan } from '../src/domain/plan-dot.ts';
import { viewPlan } from '../src/domain/plan-view.ts';
import { lookAhead } from '../src/domain/waves-ahead.ts';
import { inventUpstream, supposeMoved } from '../src/domain/what-if.ts';
import { drawGraph } from '../src/lib/svg.ts';
import { imageOf } from '../test/support/generated-images.ts';
import { releasedFacts } from '../test/support/released-facts.ts';

/** The picture in docs/plan.md: `node bench/plan-picture.ts docs/plan.svg`. */
const DEBIAN = 'docker.io/library/debian:12-slim';
const ALPINE = 'docker.io/library/alpine:3.22';
const images = [
  imageOf('alpine', { upstream: ALPINE }, { line: '3.22' }),
  imageOf('debian', { upstream: DEBIAN }),
  imageOf('go', 'debian', { line: '1.25' }),
  imageOf('java', 'debian', { line: '21' }),
  imageOf('nginx', 'alpine', { line: '1' }),
  imageOf('node', 'debian', { line: '22' }),
  imageOf('python', 'debian', { line: '3.11' }),
  imageOf('java-jdk', 'java', { line: '21' }),
  imageOf('node-build', 'node', { line: '22' }),
  imageOf('static', 'alpine', { line: '1', also: ['go'] }),
];
const fresh = releasedFacts(images);
const moved = supposeMoved(fresh, new Map([[DEBIAN, inventUpstream({ name: DEBIAN }, fresh)]]));
const why = 'the team of java looks into a crash on arm64';
const standing = new Map([['java', { paused: { by: 'ann', at: '2026-11-20T09:00:00Z', why }, quarantined: [] }]]);
const ahead = lookAhead({ ...moved, standing, now: '2026-11-23T09:00:00Z' });

const [, , file = 'plan.svg'] = process.argv;
await writeFile(file, await drawGraph(drawPlan(viewPlan(images, ahead, new Set()), 'What if debian:12-slim moved')));
