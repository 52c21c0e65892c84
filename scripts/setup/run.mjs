import { spawn } from 'node:child_process';
import { problemOf } from './problem.mjs';

const LIMIT_MS = 30 * 60_000;
const KEPT = 64 * 1024;

/**
 * Runs a program; its output is kept for the case that it fails, after what was said `before`. With a signal it may be
 * ended halfway.
 */
export function run(what, program, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      signal: options.signal,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = options.before ?? '';
    const keep = (chunk) => {
      output = (output + chunk).slice(-KEPT);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    const end = () => child.kill('SIGTERM');
    if (options.signal) process.once('exit', end);
    const limit = setTimeout(() => {
      keep(`\nstill not done after ${LIMIT_MS / 60_000} minutes: i/o timeout\n`);
      end();
    }, LIMIT_MS);
    child.once('error', (error) => {
      clearTimeout(limit);
      reject(error.name === 'AbortError' ? error : problemOf(what, `${output}\n${error.message}`));
    });
    child.once('close', (code) => {
      clearTimeout(limit);
      process.off('exit', end);
      if (code === 0) resolve(output);
      else reject(problemOf(what, output));
    });
  });
}
