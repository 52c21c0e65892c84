import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseDockerfile } from '../src/domain/dockerfile/parse.ts';
import { ImageFile } from '../src/domain/fleet/image.ts';
import { parseFleet } from '../src/domain/fleet/parse-fleet.ts';
import { SettingsFile } from '../src/domain/fleet/settings.ts';
import { fleetFiles } from './support/fleet-files.ts';

const PAGE = readFileSync(join(import.meta.dirname, '../docs/definitions.md'), 'utf8');

/** Blocks that begin with `# <path>` are that file. */
function examples(): Record<string, string> {
  const blocks = PAGE.matchAll(/^```(?:yaml|dockerfile)\n# (\S+)\n([\s\S]*?)^```$/gm);
  return Object.fromEntries([...blocks].map(([, path, text]) => [path!, text!]));
}

test('the examples of docs/definitions.md are one fleet without mistakes', () => {
  const named = ['app/files/company.crt', 'app/files/app.conf', 'app/files/acme.asc'];
  const bundled = ['static/files/tool', 'static/files/ca-certificates.crt'];
  const files = [...named, ...bundled].map((path) => [`images/${path}`, path]);

  const { images, settings } = parseFleet(fleetFiles({ ...examples(), ...Object.fromEntries(files) }));

  const image = (wanted: string) => images.find(({ name }) => name === wanted);
  expect(images.map(({ name }) => name).sort()).toEqual(['app', 'bookworm', 'debian', 'node', 'static', 'tool', 'web']);
  expect(image('app')?.smoke?.commandTests).toHaveLength(1);
  expect(image('app')?.waivers).toHaveLength(1);
  expect(image('static')?.inputs).toEqual([]);
  expect(image('tool')?.inputs.map(({ written }) => written)).toEqual(['golden/debian', 'golang:1.25', 'busybox:1.37']);
  const tracks = images.flatMap(({ inputs }) =>
    inputs.flatMap(({ source }) => ('track' in source ? [source.track] : [])),
  );
  expect(tracks).toEqual([
    { pattern: String.raw`bookworm-(\d{8})-slim`, order: 'number' },
    { range: '22.x', suffix: '-slim' },
    { range: '22.x', suffix: '-slim' },
  ]);
  expect(settings.downstreams).toHaveLength(1);
});

test('every block of code names its file, so that none goes untested', () => {
  expect(PAGE.match(/^```(yaml|dockerfile)$/gm)).toHaveLength(Object.keys(examples()).length);
  expect(parseDockerfile(examples()['images/tool/Dockerfile']!).stages).toHaveLength(2);
});

test.each([...Object.keys(SettingsFile.shape), ...Object.keys(ImageFile.shape)])('the key %s is described', (key) => {
  expect(PAGE).toMatch(new RegExp(`^\\|.*\`${key}[\`.]`, 'm'));
});
