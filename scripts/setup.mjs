// Brings a fresh Debian or Ubuntu machine to where ingot runs: node scripts/setup.mjs check|demo|test|start
// Plain JavaScript for any Node from 20 on, without a dependency: it runs before anything is installed.
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { groups } from './parts.mjs';
import { installApt } from './setup/apt.mjs';
import { buildGo } from './setup/go.mjs';
import { installNpm } from './setup/npm.mjs';
import { isDone, lockPath, planSetup } from './setup/plan.mjs';
import { Problem } from './setup/problem.mjs';
import { installPython } from './setup/python.mjs';

const path = process.env.PATH ?? '';

async function main(group) {
  if (!groups.includes(group)) throw new Problem(`no group "${group ?? ''}"`, `one of: ${groups.join(', ')}`);
  if (isDone(checkedPlan(group))) return;
  const unlock = lock();
  try {
    const plan = checkedPlan(group); // another set-up may just have done it all
    if (!isDone(plan)) await setUp(group, plan);
  } finally {
    unlock();
  }
}

/** Nothing is begun when something is in the way. */
function checkedPlan(group) {
  const plan = planSetup(group, path);
  if (plan.problems.length > 0) throw new AggregateError(plan.problems);
  return plan;
}

async function setUp(group, { npm, apt, go, python }) {
  const start = performance.now();
  const missing = [
    ...(npm ? ['npm packages'] : []),
    ...apt,
    ...go.map(({ name }) => name),
    ...(python ? ['schemathesis'] : []),
  ];
  console.log(`set-up for "${group}": ${missing.join(', ')}`);
  const stop = new AbortController();
  const apted = apt.length > 0 ? timed(apt.join(', '), installApt(apt)) : Promise.resolve();
  const lanes = [
    npm && (() => timed('npm packages', installNpm(stop.signal))),
    () => apted,
    // One after the other: the compiler uses all cores by itself.
    go.length > 0 && (() => buildAll(go, apted, stop.signal)),
    python && (() => timed('schemathesis', installPython(stop.signal))),
  ].filter(Boolean);
  const results = await Promise.allSettled(
    lanes.map((lane) =>
      lane().catch((error) => {
        stop.abort();
        throw error;
      }),
    ),
  );
  const failure = results.find((result) => result.status === 'rejected' && result.reason.name !== 'AbortError');
  if (failure) throw failure.reason;
  console.log(`set-up done in ${seconds(start)}`);
}

/** What needs a C compiler comes last, when the distribution's is there for sure. */
async function buildAll(go, apted, signal) {
  for (const part of go.filter(({ cgo }) => !cgo)) await timed(`${part.name} (built)`, buildGo(part, signal));
  for (const part of go.filter(({ cgo }) => cgo)) {
    await apted;
    await timed(`${part.name} (built)`, buildGo(part, signal));
  }
}

async function timed(what, work) {
  const start = performance.now();
  await work;
  console.log(`  ${what}: ${seconds(start)}`);
}

function seconds(start) {
  return `${((performance.now() - start) / 1000).toFixed(1)} s`;
}

/** One set-up at a time; the lock goes with the process (flock on a descriptor that the child shares with us). */
function lock() {
  mkdirSync(dirname(lockPath), { recursive: true });
  const descriptor = openSync(lockPath, 'a');
  const flock = (...options) =>
    spawnSync('flock', [...options, '3'], { stdio: ['ignore', 'ignore', 'ignore', descriptor] });
  if (flock('--nonblock').status === 1) {
    console.log('waiting for another set-up of this folder');
    flock();
  }
  return () => closeSync(descriptor);
}

const REMEDIES = {
  EACCES: 'the folder belongs to somebody else: run this as its owner, or in a checkout of your own',
  EROFS: 'the folder cannot be written to: use a checkout on a writable disk',
  ENOSPC: 'the disk is full: free some space and run the same command again',
};

function report(error) {
  const problems = error instanceof AggregateError ? error.errors : [error];
  for (const problem of problems) {
    console.error(`ingot set-up: ${problem.message}`);
    const remedy = problem.remedy ?? REMEDIES[problem.code];
    if (remedy) console.error(`  -> ${remedy}`);
  }
}

for (const [signal, number] of [
  ['SIGINT', 2],
  ['SIGTERM', 15],
]) {
  process.once(signal, () => process.exit(128 + number));
}

main(process.argv[2]).catch((error) => {
  report(error);
  process.exitCode = 1;
});
