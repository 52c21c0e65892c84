import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { DefinitionError } from '../../../src/domain/errors.ts';
import { parseFleet } from '../../../src/domain/fleet/parse-fleet.ts';
import { fleetFiles, sections } from '../../support/fleet-files.ts';

const FOLDER = join(import.meta.dirname, '../../fixtures/fleets');

/** Each file there is a fleet and what is wrong with it, as a person sees it. */
test.each(readdirSync(FOLDER))('every mistake of %s is told at once', (name) => {
  const { expected, ...texts } = sections(readFileSync(join(FOLDER, name), 'utf8'));

  const message = mistakesOf(texts);

  expect(`${message}\n`).toBe(expected);
});

function mistakesOf(texts: Record<string, string>): string {
  try {
    parseFleet(fleetFiles(texts));
    return '';
  } catch (error) {
    if (error instanceof DefinitionError) return error.message;
    throw error;
  }
}
