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

  const imageOf = (name: string) => images.find((image) => image.name === name);
  expect(images.map(({ name }) => name).sort()).toEqual(['app', 'debian', 'static', 'tool']);
  expect(imageOf('app')?.smoke?.commandTests).toHaveLength(1);
  expect(imageOf('app')?.waivers).toHaveLength(1);
  expect(imageOf('static')?.inputs).toEqual([]);
  expect(imageOf('tool')?.inputs.map(({ written }) => written)).toEqual([
    'golden/debian',
    'golang:1.25',
    'busybox:1.37',
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
