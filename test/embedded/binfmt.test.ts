import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ensureEmulation, lookAtEmulation, type Machine } from '../../src/embedded/binfmt.ts';
import { temporaryDirectory } from './support.ts';

const LINE = ':qemu-aarch64:M::magic:mask:/usr/libexec/qemu-binfmt/aarch64-binfmt-P:OPF';
let folder: string;
let remove: () => Promise<void>;
let machine: Machine;

beforeEach(async () => {
  ({ path: folder, remove } = await temporaryDirectory());
  await mkdir(join(folder, 'binfmt_misc'));
  await mkdir(join(folder, 'binfmt.d'));
  machine = {
    architecture: 'amd64',
    isRoot: true,
    binfmtDirectory: join(folder, 'binfmt_misc'),
    configDirectories: [join(folder, 'none'), join(folder, 'binfmt.d')],
    mountBinfmt: async () => false,
  };
});

afterEach(() => remove());

const kernelHas = (text: string) => writeFile(join(folder, 'binfmt_misc', 'qemu-aarch64'), text);
const installed = () => writeFile(join(folder, 'binfmt.d', 'qemu-aarch64.conf'), `${LINE}\n`);
const mounted = () => writeFile(join(folder, 'binfmt_misc', 'register'), '');

test('the own platform needs nothing', async () => {
  expect(await ensureEmulation('linux/amd64', machine)).toEqual({ ready: true });
});

test('a registered emulator with flag F is ready', async () => {
  await kernelHas('enabled\ninterpreter /x\nflags: POF\n');

  expect(await ensureEmulation('linux/arm64', machine)).toEqual({ ready: true });
});

test.each([
  ['switched off', 'disabled\nflags: POF\n', 'switched off', 'echo 1 >'],
  ['without flag F', 'enabled\nflags: PO\n', 'without the flag F', 'echo -1 >'],
])('an emulator that is %s is named with what to do', async (_, text, why, remedy) => {
  await kernelHas(text);

  const answer = await ensureEmulation('linux/arm64', machine);

  expect(answer).toMatchObject({ why: expect.stringContaining(why), remedy: expect.stringContaining(remedy) });
});

test('an emulator that is not installed is named with its package', async () => {
  const answer = await ensureEmulation('linux/arm64', machine);

  expect(answer).toMatchObject({ ready: false, remedy: 'apt-get install -y qemu-user-static' });
});

test('without root the command that registers it is shown', async () => {
  await installed();

  const answer = await ensureEmulation('linux/arm64', { ...machine, isRoot: false });

  const remedy = expect.stringContaining(`cat ${join(folder, 'binfmt.d', 'qemu-aarch64.conf')} > `);
  expect(answer).toMatchObject({ ready: false, why: expect.stringContaining('not registered'), remedy });
});

test('root mounts binfmt_misc and registers the line of the package', async () => {
  await installed();
  // The kernel makes the entry when the line is written; here the mount has it ready.
  const mountBinfmt = async () => {
    await mounted();
    await kernelHas('enabled\nflags: POF\n');
    return true;
  };

  expect(await ensureEmulation('linux/arm64', { ...machine, mountBinfmt })).toEqual({ ready: true });
});

test('root writes the line of the package to the kernel', async () => {
  await installed();
  await mounted();

  const answer = await ensureEmulation('linux/arm64', machine);

  expect(await readFile(join(folder, 'binfmt_misc', 'register'), 'utf8')).toBe(LINE);
  expect(answer).toMatchObject({ ready: false, why: expect.stringContaining('did not take') });
});

test('a platform without emulator is a matter for another daemon', async () => {
  const answer = await ensureEmulation('linux/riscv64', machine);

  expect(answer).toMatchObject({ ready: false, remedy: expect.stringContaining('builders:') });
});

test('this machine tells the truth about itself', async () => {
  expect(await ensureEmulation(process.arch === 'arm64' ? 'linux/arm64' : 'linux/amd64')).toEqual({ ready: true });
});

test('a look at an emulator that could be registered calls it ready, and registers nothing', async () => {
  await installed();
  await mounted();

  expect(await lookAtEmulation('linux/arm64', machine)).toEqual({ ready: true });
  expect(await readFile(join(folder, 'binfmt_misc', 'register'), 'utf8')).toBe('');
  expect(await lookAtEmulation('linux/arm64', { ...machine, isRoot: false })).toMatchObject({ ready: false });
});

test('a look says what is not installed, and that the own platform needs nothing', async () => {
  expect(await lookAtEmulation('linux/arm64', machine)).toMatchObject({
    why: expect.stringContaining('not installed'),
  });
  expect(await lookAtEmulation('linux/amd64', machine)).toEqual({ ready: true });
});
