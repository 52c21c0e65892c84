#!/usr/bin/env node
// The command "ingot" in a checkout: runs src/cli.ts with Node 24, whatever Node is on PATH.
//   node scripts/ingot.mjs VERB…             the command line
//   node scripts/ingot.mjs --node FILE ARG…  another file with the same Node, and that Node first on PATH
// Plain JavaScript that any Node from 20 on runs.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { bundledNode, compileCache, findOnPath, root } from './parts.mjs';

const node = bundledNode() ?? (isNew(process.versions.node) ? process.execPath : undefined);

function isNew(version) {
  return Number.parseInt(version, 10) >= 24;
}

function main(args) {
  if (node === undefined) {
    console.error(`ingot needs Node 24, and this is Node ${process.versions.node}; its own is not installed yet.`);
    console.error('  -> npm ci    (or install Node 24 from https://nodejs.org)');
    process.exitCode = 2;
    return;
  }
  const target = args[0] === '--node' ? args.slice(1) : [join(root, 'src', 'cli.ts'), ...args];
  const env = {
    NODE_COMPILE_CACHE: compileCache,
    ...process.env,
    PATH: `${dirname(node)}${delimiter}${process.env.PATH ?? ''}`,
  };
  become(target, env);
}

/** Replaces this process where Node can do that (from 22.15 on), else runs a child in its stead. */
function become(args, env) {
  if (process.execve && process.platform !== 'win32') process.execve(node, [node, ...args], env);
  else standIn(args, env);
}

function standIn(args, env) {
  // The child ends with us even when we are killed: nobody would stop it otherwise.
  const setpriv = findOnPath('setpriv', process.env.PATH ?? '');
  const command = setpriv ? [setpriv, '--pdeathsig', 'TERM', '--', node, ...args] : [node, ...args];
  const child = spawn(command[0], command.slice(1), { stdio: 'inherit', env });
  // At a terminal Ctrl-C reaches the child by itself, and twice would mean "at once".
  const isTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  process.on('SIGINT', () => isTerminal || child.kill('SIGINT'));
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.once('error', (error) => {
    console.error(`${node} cannot be run: ${error.message}`);
    process.exitCode = 126;
  });
  child.once('exit', (code, signal) => {
    process.exitCode = code ?? 128 + constants.signals[signal];
    // Not process.exit: what the child wrote has gone to our descriptors already, and nothing of ours is left to do.
    for (const each of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.removeAllListeners(each);
  });
}

main(process.argv.slice(2));
