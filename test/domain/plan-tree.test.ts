import { describe, expect, test } from 'vitest';
import { digestOf } from '../../src/domain/digest.ts';
import type { FleetFacts } from '../../src/domain/facts.ts';
import { drawPlan } from '../../src/domain/plan-dot.ts';
import { planLines } from '../../src/domain/plan-tree.ts';
import { relativesOf, summarise, viewPlan } from '../../src/domain/plan-view.ts';
import { lookAhead } from '../../src/domain/waves-ahead.ts';
import { drawGraph } from '../../src/lib/svg.ts';
import { generatedImages, imageOf } from '../support/generated-images.ts';
import { releasedFacts, upstreamOf } from '../support/released-facts.ts';

const BASE = 'docker.io/library/debian:12';
const images = [
  imageOf('alpine', { upstream: 'docker.io/library/alpine:3.22' }),
  imageOf('debian', { upstream: BASE }),
  imageOf('go', 'alpine'),
  imageOf('node', 'debian'),
  imageOf('python', 'debian'),
  imageOf('app', 'python', { also: ['node'] }),
];
const fresh = releasedFacts(images);
const stale: FleetFacts = {
  ...fresh,
  upstreams: new Map([...fresh.upstreams, [BASE, upstreamOf('second', ['linux/amd64', 'linux/arm64'])]]),
};

function view(facts: FleetFacts) {
  return viewPlan(facts.images, lookAhead(facts), new Set());
}

describe('a plan as a tree', () => {
  test('sums up in one line what needs nothing', () => {
    expect(planLines(view(fresh), { all: false })).toEqual([
      '6 images need nothing (--all shows them)',
      'nothing to do now',
    ]);
  });

  test('shows parents with their children below, each with its wave and why', () => {
    expect(planLines(view(stale), { all: false }).join('\n')).toBe(
      `debian 12.0.0  rebuild, wave 1
│   because its base debian:12 moved from 2b42d4e51b0e to 69f3d8d4c6d3 (made 2026-11-01)
├─ node 12.0.0  held, wave 2
│      then, because its base golden/debian would move to 12.0.1
│      waits for its parent debian: it is being rebuilt
└─ python 12.0.0  held, wave 2
   │   then, because its base golden/debian would move to 12.0.1
   │   waits for its parent debian: it is being rebuilt
   └─ app 12.0.0  held, wave 3
          then, because its base golden/python would move to 12.0.1
          then, because its input golden/node would move to 12.0.1
          waits for its parent python: it waits itself
          waits for its parent node: it waits itself
          uses node as well

2 images need nothing (--all shows them)
1 image to rebuild now, 3 later: 3 waves, 8 builds of single platforms`
        .replace('2b42d4e51b0e', digestOf(BASE).slice(7, 19))
        .replace('69f3d8d4c6d3', digestOf('second').slice(7, 19)),
    );
  });

  test('shows all of them when asked to', () => {
    const lines = planLines(view(fresh), { all: true });

    expect(lines).toContain('alpine 12.0.0  fresh');
    expect(lines).toContain('└─ go 12.0.0  fresh');
    expect(lines.at(-1)).toBe('nothing to do now');
  });

  test('says what could not be asked', () => {
    const upstreams = new Map([...fresh.upstreams, [BASE, { state: 'unknown' as const, why: 'debian:12 is down' }]]);

    const lines = planLines(view({ ...fresh, upstreams }), { all: false });

    expect(lines[0]).toBe('debian 12.0.0  unknown');
    expect(lines[1]).toContain('debian:12 is down');
  });

  test('keeps to a list of images: relatives up and down, each once', () => {
    expect([...relativesOf(['python'], images)]).toEqual(['python', 'debian', 'app']);
  });

  test('counts what is now, what is later and what is held', () => {
    const standing = new Map([
      ['node', { paused: { by: 'ann', at: '2026-11-01T00:00:00Z', why: 'x' }, quarantined: [] }],
    ]);

    expect(summarise(view(stale))).toEqual({
      images: 6,
      now: 1,
      later: 3,
      held: 0,
      fresh: 2,
      unknown: 0,
      waves: 3,
      builds: 8,
    });
    expect(summarise(view({ ...stale, standing }))).toMatchObject({ now: 1, later: 2 });
  });
});

describe('a plan as a picture', () => {
  test('has a node for each image and upstream, an edge for each use, and a legend of what is in it', () => {
    const { source, titles } = drawPlan(view(stale), 'Plan');

    expect(source.match(/shape="note"/g)).toHaveLength(3);
    expect(source.match(/ -> n\d+;/g)).toHaveLength(6);
    expect(source.match(/ -> n\d+ \[style=dashed\];/g)).toHaveLength(1);
    expect(source).toContain('label="rebuild now"');
    expect(source).not.toContain('label="unknown"');
    expect([...titles.values()]).toContainEqual(expect.stringContaining('because its base debian:12 moved'.slice(8)));
  });

  test('is drawn as SVG with reasons as titles, on a light ground, in an order that does not change', async () => {
    const picture = drawPlan(view(stale), 'What "if" <x> & y \\ z');

    const svg = await drawGraph(picture);

    expect(svg).toContain('<title>debian: rebuild, wave 1\nits base debian:12 moved');
    expect(svg).toContain('<title>app is built from python</title>');
    expect(svg).toContain('fill="#ffffff"');
    expect(svg).toContain('&lt;x&gt; &amp; y');
    expect(svg).not.toMatch(/<title>n\d/);
    expect(await drawGraph(picture)).toBe(svg);
  });

  test('of three hundred images is drawn within seconds', async () => {
    const picture = drawPlan(view(releasedFacts(generatedImages(300))), 'Plan');

    const svg = await drawGraph(picture);

    expect(svg.match(/class="node"/g)!.length).toBeGreaterThan(300);
  }, 20_000);
});
