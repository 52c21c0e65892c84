export interface FileMode {
  readonly type: 'file' | 'directory' | 'symlink' | 'character-device' | 'block-device' | 'fifo';
  /** With setuid, setgid and sticky: `0o4755`. */
  readonly mode: number;
}

const LETTERS = {
  file: '-',
  directory: 'd',
  symlink: 'l',
  'character-device': 'c',
  'block-device': 'b',
  fifo: 'p',
} as const;

/** As `ls -l` writes them: `-rwsr-xr-x`, `drwxrwxrwt`. */
export function permissions({ type, mode }: FileMode): string {
  const triple = (shift: number, special: boolean, letter: string) => {
    const bits = (mode >> shift) & 7;
    const execute = (bits & 1) !== 0;
    const last = special ? (execute ? letter : letter.toUpperCase()) : execute ? 'x' : '-';
    return `${bits & 4 ? 'r' : '-'}${bits & 2 ? 'w' : '-'}${last}`;
  };
  const special = (bit: number) => (mode & bit) !== 0;
  return `${LETTERS[type]}${triple(6, special(0o4000), 's')}${triple(3, special(0o2000), 's')}${triple(0, special(0o1000), 't')}`;
}

const GO_LETTERS = { ...LETTERS, file: '', symlink: 'L', 'character-device': 'D', 'block-device': 'D' } as const;

/** As container-structure-test writes them (Go, fs.FileMode.String): `urwxr-xr-x`, `dtrwxrwxrwx`. */
export function goPermissions({ type, mode }: FileMode): string {
  const bit = (value: number, letter: string) => (mode & value ? letter : '');
  const device = type === 'character-device' ? 'c' : '';
  const letters = `${GO_LETTERS[type]}${bit(0o4000, 'u')}${bit(0o2000, 'g')}${device}${bit(0o1000, 't')}`;
  return `${letters || '-'}${permissions({ type, mode: mode & 0o777 }).slice(1)}`;
}
