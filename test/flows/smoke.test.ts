import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Builder } from '../../src/builder/builder.ts';
import { readSmokeTests } from '../../src/domain/fleet/smoke.ts';
import type { Reference } from '../../src/domain/reference.ts';
import { runSmoke } from '../../src/flows/smoke.ts';
import { createHttp, type Http } from '../../src/lib/http.ts';
import { createRegistry } from '../../src/registry/oci.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { BUSYBOX, type BuilderScene, startBuilderScene } from '../support/builder-scene.ts';

const DOCKERFILE = `${BUSYBOX}
COPY --chown=7:8 --chmod=0755 note /opt/app/note
RUN ["/bin/busybox","sh","-c","/bin/busybox mkdir -p /usr/lib /etc && echo ID=test > /usr/lib/os-release && /bin/busybox ln -s ../usr/lib/os-release /etc/os-release && /bin/busybox ln -s opt/app /app && /bin/busybox ln /opt/app/note /opt/twin && /bin/busybox chmod 1777 /opt"]
ENV GREETING=hello
LABEL team=runtime
EXPOSE 8080
WORKDIR /opt/app
USER 7:8
`;

let scene: BuilderScene;
let http: Http;
let registry: Registry;
let image: Reference;

beforeAll(async () => {
  scene = await startBuilderScene();
  http = createHttp({ connectionsPerHost: 4, userAgent: 'test', timeoutMs: 10_000 });
  registry = createRegistry({ http });
  image = await scene.image('staging/app', { Dockerfile: DOCKERFILE, note: 'a note\n' });
});
afterAll(async () => {
  await http?.close();
  await scene?.stop();
});

describe('smoke tests', () => {
  it('pass on an image as it should be', async () => {
    const { results } = await run(`
globalEnvVars: [{ key: PATH, value: "/bin:$PATH" }, { key: WHO, value: "$GREETING world" }]
commandTests:
  - name: environment
    command: sh
    args: ["-c", "echo \\"$(busybox id -u) $WHO $X\\"; pwd"]
    envVars: [{ key: X, value: "$WHO!" }]
    expectedOutput: ["^7 hello world hello world!\\n/opt/app\\n$"]
    excludedError: ["."]
  - name: setup
    setup: [["sh", "-c", "echo 1 > /opt/f"], ["sh", "-c", "echo 2 >> /opt/f"]]
    command: busybox
    args: [cat, /opt/f]
    expectedOutput: ["1\\n2\\n"]
  - { name: exit code, command: sh, args: ["-c", "echo bad >&2; exit 9"], exitCode: 9, expectedError: [bad] }
fileExistenceTests:
  - { name: file, path: /app/note, permissions: -rwxr-xr-x, uid: 7, gid: 8, isExecutableBy: any }
  - { name: link, path: /app, permissions: lrwxrwxrwx }
  - { name: sticky, path: /opt/, permissions: drwxrwxrwt }
  - { name: root, path: / }
  - { name: nothing, path: /etc/shadow, shouldExist: false }
fileContentTests:
  - { name: through a link, path: /etc/os-release, expectedContents: ["^ID=test$|ID=test"] }
  - { name: through a folder, path: "/app/note", expectedContents: [note], excludedContents: [secret] }
  - { name: another name, path: /opt/twin, expectedContents: ["^a note\\n$"] }
metadataTest:
  envVars: [{ key: GREETING, value: "^h", isRegex: true }]
  labels: [{ key: team, value: runtime }]
  exposedPorts: ["8080"]
  workdir: /opt/app
  user: "7:8"
`);

    expect(results.filter(({ passed }) => !passed)).toEqual([]);
    expect(results).toHaveLength(12);
  });

  it('report every failure with what was expected and what was got', async () => {
    const { results } = await run(`
commandTests:
  - { name: missing program, command: /usr/bin/python3 }
  - { name: output, command: sh, args: ["-c", "echo 1"], expectedOutput: ["2"] }
  - { name: line break, command: "true", envVars: [{ key: A, value: "a\\nb" }] }
fileExistenceTests:
  - { name: file, path: /nowhere }
fileContentTests:
  - { name: folder, path: /opt, expectedContents: [x] }
metadataTest: { user: root }
`);

    expect(results.map(({ passed }) => passed)).toEqual(results.map(() => false));
    expect(results.map(({ name, message }) => [name, message])).toEqual([
      ['missing program', expect.stringContaining('exit code: expected 0, got 127 with')],
      ['output', 'output: expected a match of "2", got "1\\n"'],
      ['line break', 'the environment variable A has a line break, which a build cannot set'],
      ['file', '/nowhere: expected to exist, got nothing'],
      ['folder', '/opt: expected a file to read, got a directory'],
      ['metadata', 'user: expected "root", got "7:8"'],
    ]);
    for (const { message } of results) expect(message).not.toContain('\n');
  });

  it('are no result when the builder cannot be asked', async () => {
    const builder: Builder = { ...scene.builder, command: () => Promise.reject(new Error('gone')) };

    await expect(run('commandTests: [{ name: a, command: b }]', builder)).rejects.toThrow('gone');
  });
});

function run(yaml: string, builder = scene.builder) {
  const source = { path: 'smoke.yaml', text: `schemaVersion: "2.0.0"\n${yaml}` };
  const { value: tests, mistakes } = readSmokeTests(source);
  if (tests === undefined) throw new Error(JSON.stringify(mistakes));
  return runSmoke({ tests, builder, registry, image, platform: 'linux/amd64' });
}
