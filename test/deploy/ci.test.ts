import { readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { exec } from '../../src/lib/exec.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

interface Step {
  readonly name?: string;
  readonly id?: string;
  readonly run?: string;
}

const action = parse(read('deploy/github/cycle/action.yml')) as { runs: { steps: Step[] }; inputs: object };
const script = action.runs.steps.find(({ id }) => id === 'cycle')!.run!;

describe('the GitHub Action', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ingot-action-'));
    await mkdir(join(folder, 'bin'));
    await mkdir(join(folder, 'fleet'));
    // Runners are no root; here we are
    await writeFile(join(folder, 'bin', 'sudo'), '#!/bin/sh\nshift\nexec "$@"\n');
    await chmod(join(folder, 'bin', 'sudo'), 0o755);
    await symlink(process.execPath, join(folder, 'bin', 'node'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  async function cycle(inputs: { verb: string; arguments?: string }) {
    const env = {
      PATH: `${join(folder, 'bin')}:${process.env.PATH}`,
      VERB: inputs.verb,
      FLEET: join(folder, 'fleet'),
      ARGUMENTS: inputs.arguments ?? '',
      GITHUB_ACTION_PATH: join(ROOT, 'deploy/github/cycle'),
      GITHUB_OUTPUT: join(folder, 'output'),
      GITHUB_STEP_SUMMARY: join(folder, 'summary'),
      RUNNER_TEMP: folder,
    };
    // As the runner does it for "shell: bash"
    const { exitCode, stdout } = await exec('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', script], {
      env,
    });
    const text = (name: string) => readFile(join(folder, name), 'utf8').catch(() => '');
    return { exitCode, log: stdout.toString('utf8'), output: await text('output'), summary: await text('summary') };
  }

  test('gives on what ingot says, and its exit code', async () => {
    await writeFile(join(folder, 'fleet', 'ingot.yaml'), 'flet: acme\n');
    const { exitCode, log, output, summary } = await cycle({ verb: 'plan', arguments: '--json' });

    expect(exitCode).toBe(2);
    expect(output).toBe('exit-code=2\n');
    expect(log).toContain('did you mean "fleet"?');
    expect(summary).toContain('did you mean "fleet"?');
  });

  test('takes no other verb, whatever else is in it', async () => {
    const { exitCode, log } = await cycle({ verb: 'run; touch owned' });

    expect(exitCode).toBe(2);
    expect(log).toContain('write one of run, plan');
  });

  test('knows verbs that there are', async () => {
    const verbs = /^ *(run \|.*)\) ;;$/m.exec(script)![1]!.split(' | ');
    const { stdout } = await exec(process.execPath, [join(ROOT, 'src/cli.ts'), '--help'], {});
    const help = stdout.toString('utf8');

    for (const verb of verbs) expect(help).toMatch(new RegExp(`^ +${verb} `, 'm'));
  });

  test('the workflow that is shown uses inputs that there are', () => {
    const { jobs } = parse(read('deploy/github/nightly.yml')) as {
      jobs: { cycle: { steps: { uses: string; with?: object }[] } };
    };
    const ours = jobs.cycle.steps.find(({ uses }) => uses.includes('deploy/github/cycle'))!;

    expect(Object.keys(action.inputs)).toEqual(expect.arrayContaining(Object.keys(ours.with ?? {})));
  });
});

test('the GitLab template knows the same verbs, and its script is a shell script', async () => {
  const [header, body] = parseAllDocuments(read('deploy/gitlab/cycle.gitlab-ci.yml')).map((each) => each.toJS());
  const verbs = /^ *(run \|.*)\) ;;$/m.exec(script)![1]!.split(' | ');
  const { before_script, script: lines } = body.ingot as { before_script: string[]; script: string[] };
  const text = [...before_script, ...lines].join('\n').replaceAll(/\$\[\[ inputs\.\w+ \]\]/g, 'x');

  expect(header.spec.inputs.verb.options).toEqual(verbs);
  expect((await exec('bash', ['-n'], { input: text })).stderr).toBe('');
});
