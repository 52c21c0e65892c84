import { describe, expect, it } from 'vitest';
import type { CommandTest, FileExistenceTest, MetadataTest } from '../../../src/domain/fleet/model.ts';
import { judgeCommand } from '../../../src/domain/smoke/command.ts';
import { expand, withVariables } from '../../../src/domain/smoke/environment.ts';
import { type FileFacts, judgeContent, judgeExistence } from '../../../src/domain/smoke/file.ts';
import { judgeMetadata } from '../../../src/domain/smoke/metadata.ts';
import { goPermissions, permissions } from '../../../src/domain/smoke/permissions.ts';

const COMMAND: CommandTest = {
  ...{ name: 'version', setup: [], teardown: [], envVars: [], command: 'python3', args: [], exitCode: 0 },
  ...{ expectedOutput: [], excludedOutput: [], expectedError: [], excludedError: [] },
};
const PASSED = { exitCode: 0, setupFailed: false, stdout: '', stderr: '' };

describe('a command test', () => {
  it.each<[string, Partial<CommandTest>, Partial<typeof PASSED>, string[]]>([
    ['passes with nothing asked for', {}, { stdout: 'x' }, []],
    ['matches anywhere in the output', { expectedOutput: ['3\\.11'] }, { stdout: 'Python 3.11.2\n' }, []],
    [
      'has patterns of RE2, where ^ is the start of all',
      { expectedOutput: ['^b'] },
      { stdout: 'a\nb' },
      ['output: expected a match of "^b", got "a\\nb"'],
    ],
    ['matches line by line when asked', { expectedOutput: ['(?m)^b$'] }, { stdout: 'a\nb\n' }, []],
    [
      'reports the exit code with the error output',
      { exitCode: 3 },
      { exitCode: 1, stderr: 'oh\n' },
      ['exit code: expected 3, got 1 with "oh\\n"'],
    ],
    [
      'reports excluded output',
      { excludedOutput: ['bad'] },
      { stdout: 'so bad' },
      ['output: expected no match of "bad", got "so bad"'],
    ],
    [
      'reports all that is wrong',
      { exitCode: 0, expectedError: ['warn'], excludedError: ['E\\d+'] },
      { exitCode: 2, stderr: 'E12' },
      [
        'exit code: expected 0, got 2 with "E12"',
        'error output: expected a match of "warn", got "E12"',
        'error output: expected no match of "E\\\\d+", got "E12"',
      ],
    ],
    [
      'stops at a setup that failed',
      { exitCode: 5 },
      { exitCode: 5, setupFailed: true, stderr: 'no' },
      ['setup failed: exit code: expected 0, got 5 with "no"'],
    ],
  ])('%s', (_, test, outcome, mistakes) => {
    expect(judgeCommand({ ...COMMAND, ...test }, { ...PASSED, ...outcome })).toEqual(mistakes);
  });
});

describe('a file test', () => {
  const test: FileExistenceTest = { name: 'f', path: '/f', shouldExist: true };
  const file: FileFacts = { type: 'file', mode: 0o4750, uid: 1, gid: 2 };

  it.each<[string, Partial<FileExistenceTest>, FileFacts | undefined, string[]]>([
    ['that is there', {}, file, []],
    ['that is not there', {}, undefined, ['/f: expected to exist, got nothing']],
    ['that must not be there, and is not', { shouldExist: false, permissions: '-rw-------' }, undefined, []],
    ['that must not be there', { shouldExist: false }, file, ['/f: expected nothing, got a file']],
    ['with permissions as of ls', { permissions: '-rwsr-x---' }, file, []],
    ['with permissions as of Go', { permissions: 'urwxr-x---' }, file, []],
    [
      'with other permissions',
      { permissions: '-rwxr-x---' },
      file,
      ['permissions of /f: expected -rwxr-x---, got -rwsr-x---'],
    ],
    ['of other owners', { uid: 0, gid: 0 }, file, ['uid of /f: expected 0, got 1', 'gid of /f: expected 0, got 2']],
    ['of its owners', { uid: 1, gid: 2 }, file, []],
    ['that its owner can run', { isExecutableBy: 'owner' }, file, []],
    ['that its group can run', { isExecutableBy: 'group' }, file, []],
    ['that anybody can run', { isExecutableBy: 'any' }, file, []],
    [
      'that others cannot run',
      { isExecutableBy: 'other' },
      file,
      ['/f: expected to be executable by other, got -rwsr-x---'],
    ],
  ])('judges a file %s', (_, more, facts, mistakes) => {
    expect(judgeExistence({ ...test, ...more }, facts)).toEqual(mistakes);
  });

  it('judges content, and says what is there instead', () => {
    const content = { name: 'c', path: '/c', expectedContents: ['^a', 'größe'], excludedContents: ['z$'] };

    expect(judgeContent(content, { content: Buffer.from('a größe\n') })).toEqual([]);
    expect(judgeContent(content, { content: Buffer.from('b z') })).toHaveLength(3);
    expect(judgeContent(content, { missing: 'a directory' })).toEqual(['/c: expected a file to read, got a directory']);
  });

  it.each<[FileFacts['type'], number, string, string]>([
    ['directory', 0o1777, 'drwxrwxrwt', 'dtrwxrwxrwx'],
    ['directory', 0o2755, 'drwxr-sr-x', 'dgrwxr-xr-x'],
    ['file', 0o6644, '-rwSr-Sr--', 'ugrw-r--r--'],
    ['file', 0o644, '-rw-r--r--', '-rw-r--r--'],
    ['symlink', 0o777, 'lrwxrwxrwx', 'Lrwxrwxrwx'],
    ['character-device', 0o666, 'crw-rw-rw-', 'Dcrw-rw-rw-'],
  ])('writes the permissions of a %s %o', (type, mode, ls, go) => {
    expect([permissions({ type, mode }), goPermissions({ type, mode })]).toEqual([ls, go]);
  });
});

describe('the metadata test', () => {
  const test: MetadataTest = {
    ...{ envVars: [], labels: [], unboundEnvVars: [], exposedPorts: [], unexposedPorts: [] },
    ...{ volumes: [], unmountedVolumes: [] },
  };
  const config = {
    User: '10001',
    Env: ['PATH=/usr/bin:/bin', 'EMPTY='],
    Cmd: ['sh'],
    Labels: { version: '1.2.3' },
    ExposedPorts: { '8080/tcp': {} },
    Volumes: { '/data': {} },
  };
  const value = (key: string, text: string, isRegex = false) => ({ key, value: text, isRegex });

  it.each<[string, Partial<MetadataTest>, string[]]>([
    ['variables', { envVars: [value('PATH', '^/usr', true), value('EMPTY', '')] }, []],
    ['a variable that is not set', { envVars: [value('NOPE', 'x')] }, ['variable NOPE: expected "x", got none']],
    [
      'a variable of another value',
      { envVars: [value('PATH', '/usr')] },
      ['variable PATH: expected "/usr", got "/usr/bin:/bin"'],
    ],
    [
      'variables that must not be',
      { unboundEnvVars: ['EMPTY', 'NOPE'] },
      ['variable EMPTY: expected it unset, got ""'],
    ],
    ['labels', { labels: [value('version', '^\\d+\\.', true)] }, []],
    [
      'a label of another value',
      { labels: [value('version', '^2', true)] },
      ['label version: expected a match of "^2", got "1.2.3"'],
    ],
    ['argument lists', { entrypoint: [], cmd: ['sh'] }, []],
    [
      'other argument lists',
      { entrypoint: ['a'], cmd: ['sh', '-c'] },
      ['entrypoint: expected ["a"], got []', 'cmd: expected ["sh","-c"], got ["sh"]'],
    ],
    ['user and workdir', { user: '10001', workdir: '/' }, []],
    [
      'another user',
      { user: 'root', workdir: '/app' },
      ['workdir: expected "/app", got "/"', 'user: expected "root", got "10001"'],
    ],
    ['ports', { exposedPorts: ['8080', '8080/tcp'], unexposedPorts: ['80'] }, []],
    [
      'other ports',
      { exposedPorts: ['80'], unexposedPorts: ['8080'] },
      ['port 80: expected it declared, got 8080/tcp, 8080', 'port 8080: expected it undeclared, got 8080/tcp, 8080'],
    ],
    ['volumes', { volumes: ['/data'], unmountedVolumes: ['/tmp'] }, []],
    ['other volumes', { volumes: ['/x'] }, ['volume /x: expected it declared, got /data']],
  ])('judges %s', (_, more, mistakes) => {
    expect(judgeMetadata({ ...test, ...more }, { config })).toEqual(mistakes);
  });

  it('knows of names that objects have by themselves', () => {
    expect(
      judgeMetadata({ ...test, unboundEnvVars: ['constructor'], labels: [value('toString', '')] }, { config }),
    ).toEqual(['label toString: expected "", got none']);
  });
});

describe('variables', () => {
  it('are replaced as Go does', () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is what a person writes
    expect(expand('$A ${B} $C$$ $AB $constructor 5$', { A: '1', B: '2' })).toBe('1 2    5$');
  });

  it('may use the image’s and those before them', () => {
    const variables = [
      { key: 'HOME', value: '/env' },
      { key: 'PATH', value: '$HOME/bin:$PATH' },
    ];

    expect(withVariables({ PATH: '/bin' }, variables)).toEqual({ PATH: '/env/bin:/bin', HOME: '/env' });
  });
});
