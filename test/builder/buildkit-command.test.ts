import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Digest } from '../../src/domain/digest.ts';
import { atDigest, type Reference } from '../../src/domain/reference.ts';
import { BUSYBOX, type BuilderScene, startBuilderScene } from '../support/builder-scene.ts';

const NOWHERE = `sha256:${'0'.repeat(64)}` as Digest;

let scene: BuilderScene;
let base: Reference;

beforeAll(async () => {
  scene = await startBuilderScene();
  base = await scene.image('base', { Dockerfile: BUSYBOX });
});
afterAll(() => scene?.stop());

describe('command', () => {
  it('keeps streams and exit code apart, as the image would run it', async () => {
    const image = await scene.image('user', {
      Dockerfile: `${BUSYBOX}COPY busybox /bin/id\nENV GREETING=hello\nUSER 1234:99\nWORKDIR /tmp\nENTRYPOINT ["/nothing"]\n`,
    });
    const script = 'id -u; id -g; pwd; echo "$GREETING $EXTRA" >&2; ls /sys/class/net >&2; exit 3';
    const env = { EXTRA: 'a "b" \\ $HOME c' };

    const result = await run(image, [['sh', '-c', script]], env);

    expect(result).toEqual({
      exitCode: 3,
      setupFailed: false,
      stdout: '1234\n99\n/tmp\n',
      stderr: 'hello a "b" \\ $HOME c\nlo\n',
    });
  });

  it('runs commands one after the other on what the ones before left', async () => {
    const commands = [
      ['sh', '-c', 'echo one; echo 1 > /f'],
      ['sh', '-c', 'echo two; cat /f'],
    ];

    expect(await run(base, commands)).toMatchObject({ exitCode: 0, setupFailed: false, stdout: 'two\n1\n' });
    expect(await run(base, commands)).toMatchObject({ exitCode: 0, stdout: 'two\n1\n' });
  });

  it('says when a command before the last failed', async () => {
    const commands = [['sh', '-c', 'echo no >&2; exit 5'], ['true']];

    expect(await run(base, commands)).toEqual({ exitCode: 5, setupFailed: true, stdout: '', stderr: 'no\n' });
  });

  it('tells a missing program as a shell would', async () => {
    expect(await run(base, [['/nothing', 'here']])).toMatchObject({ exitCode: 127, setupFailed: false });
  });

  it('fails when the image itself is not there', async () => {
    const running = run(atDigest(scene.repository('nothing'), NOWHERE), [['true']]);

    await expect(running).rejects.toMatchObject({ code: 'base-not-found' });
  });

  it('takes arguments with any character', async () => {
    const argument = `a'b"c\\d$HOME\n<<EOF é \t`;

    expect(await run(base, [['/bin/busybox', 'printf', '%s', argument]])).toMatchObject({
      exitCode: 0,
      stdout: argument,
    });
  });
});

function run(image: Reference, commands: readonly (readonly string[])[], env: Record<string, string> = {}) {
  return scene.builder.command({ platform: 'linux/amd64', image, commands, env });
}
