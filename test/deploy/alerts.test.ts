import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { exec } from '../../src/lib/exec.ts';
import { installedTool } from '../../src/lib/tool.ts';
import { fleetMetrics } from '../../src/telemetry/fleet-metrics.ts';
import { createProcessMetrics } from '../../src/telemetry/metrics.ts';
import { readExposition } from '../support/exposition.ts';
import { fleetFacts } from '../support/fleet-facts.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const FILE = join(ROOT, 'deploy/prometheus/alerts.yaml');
const RUNBOOK = readFileSync(join(ROOT, 'docs/runbook.md'), 'utf8');
const OPERATION = readFileSync(join(ROOT, 'docs/operation.md'), 'utf8');

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string; readonly runbook: string };
}

const { groups } = parse(readFileSync(FILE, 'utf8')) as { groups: readonly { rules: readonly Alert[] }[] };
const alerts = groups.flatMap(({ rules }) => rules);
const own = createProcessMetrics({ version: '1.0.0', dataDirectory: ROOT });
own.registryRequests.inc({ registry: 'r', method: 'HEAD', kind: 'manifest', status: '200' });
own.runs.inc({ outcome: 'released', reason: 'never-released', image: 'base' });
own.stepSeconds.observe({ step: 'build', platform: 'linux/amd64', result: 'done' }, 3);
own.jobsFailed.inc({ queue: 'release' });
const { types, samples } = readExposition(
  `${await own.registry.metrics()}\n${await fleetMetrics(fleetFacts())}`.replace(/\n\n+/g, '\n'),
);

describe.each(alerts)('$alert', ({ alert, expr, labels, annotations }) => {
  test('asks for metrics and labels that are there', () => {
    const asked = [...expr.matchAll(/\b((?:ingot|process)_\w+)(?:\{([^}]*)\})?/g)];

    const missing = asked.filter(([, name, matchers = '']) => {
      const wanted = [...matchers.matchAll(/(\w+)(?:=~?|!=)"/g)].map(([, label]) => label!);
      return !samples.some((each) => each.name === name && wanted.every((label) => label in each.labels));
    });
    expect(asked.length).toBeGreaterThan(0);
    expect(missing.map(([text]) => text)).toEqual([]);
  });

  test('has a heading in the runbook, with its severity', () => {
    const section = new RegExp(`^## ${alert}\n\n\`(page|ticket)\``, 'm').exec(RUNBOOK);

    expect(section?.[1]).toBe(labels.severity);
    expect(annotations.runbook).toBe(`docs/runbook.md#${alert.toLowerCase()}`);
    expect(annotations.summary).not.toBe('');
    expect(annotations.description).toMatch(/\.$|\)\.$/);
  });
});

test('the runbook explains no alert that there is not', () => {
  const headings = [...RUNBOOK.matchAll(/^## (Ingot\w+)$/gm)].map(([, name]) => name);

  expect(headings.sort()).toEqual(alerts.map(({ alert }) => alert).sort());
});

test('the runbook links to places that are there', () => {
  const anchors = [...RUNBOOK.matchAll(/\]\(#([\w-]+)\)/g)].map(([, anchor]) => anchor);

  expect(anchors.filter((anchor) => !RUNBOOK.toLowerCase().includes(`\n## ${anchor}\n`))).toEqual([]);
});

test('docs/operation.md has every metric of ours, and none that there is not', () => {
  const ours = [...types.keys()].filter((name) => name.startsWith('ingot_'));
  const told = [...OPERATION.matchAll(/`(ingot_[a-z_]+)`/g)].map(([, name]) => name!);

  expect([...new Set(told)].sort()).toEqual(ours.sort());
});

test('the names of metrics follow the conventions of Prometheus', () => {
  const ours = [...types].filter(([name]) => name.startsWith('ingot_'));

  expect(ours.filter(([name, type]) => (type === 'counter') !== name.endsWith('_total'))).toEqual([]);
  expect(ours.filter(([name]) => /_(ms|milliseconds|minutes|kb|mb|percent)\b/.test(name))).toEqual([]);
});

const promtool = await exec(installedTool('promtool'), ['--version']).then(
  () => installedTool('promtool'),
  () => undefined,
);

describe.skipIf(promtool === undefined)('promtool', () => {
  test.each([
    ['accepts the rules', ['check', 'rules', FILE]],
    ['sees them fire when they should', ['test', 'rules', join(ROOT, 'test/fixtures/alerts.test.yaml')]],
  ])('%s', async (_, args) => {
    const { exitCode, stdout, stderr } = await exec(promtool!, args);

    expect(stdout.toString() + stderr).toMatch(/SUCCESS/);
    expect(exitCode).toBe(0);
  });

  test('accepts the metrics', async () => {
    const input = `${await own.registry.metrics()}\n${await fleetMetrics(fleetFacts())}`;

    const { exitCode, stdout, stderr } = await exec(promtool!, ['check', 'metrics'], { input });

    const complaints = `${stdout}${stderr}`.split('\n').filter((line) => line.startsWith('ingot_'));
    expect(complaints).toEqual([]);
    expect(exitCode).not.toBe(1);
  });
});
