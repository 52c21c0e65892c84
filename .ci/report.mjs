// Counts what vitest's JSON reporter wrote: node .ci/report.mjs FILE CHECK_EXIT_CODE TEST_EXIT_CODE
// Names what failed; the last line is "N passed, N failed".
import { readFileSync } from 'node:fs';

const [file, check, tests] = process.argv.slice(2);

function main() {
  const suites = readSuites();
  const all = suites.flatMap((suite) => suite.assertionResults.map((test) => ({ ...test, file: suite.name })));
  const passed = all.filter(({ status }) => status === 'passed').length;
  const failed = [
    ...(check === '0' ? [] : ['npm run check']),
    ...all.filter(({ status }) => status === 'failed').map((test) => `${test.file}: ${test.fullName}`),
    // A file that could not even be loaded has no tests to count.
    ...suites.filter(isBroken).map(({ name, message }) => `${name}: ${message.split('\n')[0]}`),
  ];
  // vitest also fails on what no test is blamed for: an unhandled rejection, say, or nothing found to run.
  if (tests !== '0' && failed.length === 0) failed.push(`npm test ended with exit code ${tests}`);
  if (all.length === 0) console.log('no test ran');
  for (const name of failed) console.log(`failed: ${name}`);
  console.log(`${passed} passed, ${failed.length} failed`);
  process.exitCode = failed.length > 0 || passed === 0 ? 1 : 0;
}

function isBroken({ status, assertionResults }) {
  return status === 'failed' && !assertionResults.some((test) => test.status === 'failed');
}

function readSuites() {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).testResults;
  } catch {
    return [];
  }
}

main();
