/** Files that differ between builds of the same content, and say nothing about what an image does. */
export interface VolatilePattern {
  /** `*` within one folder, `**` through all below. */
  readonly path: string;
  readonly why: string;
  /** `files`: contents of files that come and go. Folders, links, modes and owners are wanted by whom made them, and count. */
  readonly what: 'all' | 'files';
}

/** Documented in docs/diff.md; a test keeps both the same. */
export const VOLATILE: readonly VolatilePattern[] = [
  { path: '/dev/**', why: 'mounted over when a container starts', what: 'all' },
  { path: '/proc/**', why: 'mounted over when a container starts', what: 'all' },
  { path: '/sys/**', why: 'mounted over when a container starts', what: 'all' },
  { path: '/run/**', why: 'state of running processes', what: 'files' },
  { path: '/tmp/**', why: 'nothing that has to last', what: 'all' },
  { path: '/var/tmp/**', why: 'nothing that has to last', what: 'all' },
  { path: '/etc/hostname', why: 'written when a container starts', what: 'files' },
  { path: '/etc/hosts', why: 'written when a container starts', what: 'files' },
  { path: '/etc/resolv.conf', why: 'written when a container starts', what: 'files' },
  { path: '/etc/passwd-', why: 'copy from before the last change', what: 'files' },
  { path: '/etc/group-', why: 'copy from before the last change', what: 'files' },
  { path: '/etc/shadow-', why: 'copy from before the last change', what: 'files' },
  { path: '/etc/gshadow-', why: 'copy from before the last change', what: 'files' },
  { path: '/etc/subuid-', why: 'copy from before the last change', what: 'files' },
  { path: '/etc/subgid-', why: 'copy from before the last change', what: 'files' },
  { path: '/var/log/**', why: 'has the time of each line', what: 'files' },
  { path: '/var/cache/ldconfig/aux-cache', why: 'has inode numbers and times of libraries', what: 'files' },
  { path: '/var/cache/debconf/*-old', why: 'copy from before the last change', what: 'files' },
  { path: '/var/lib/dpkg/*-old', why: 'copy from before the last change', what: 'files' },
  { path: '/var/cache/apt/**', why: 'made anew from the lists of the archives', what: 'all' },
  { path: '/var/lib/apt/lists/**', why: 'lists of the archives, which move every hour', what: 'all' },
  { path: '/var/lib/apt/extended_states.bak', why: 'copy from before the last change', what: 'files' },
  { path: '/var/cache/apk/**', why: 'lists of the archives, which move every hour', what: 'all' },
  { path: '/var/cache/dnf/**', why: 'lists of the archives, which move every hour', what: 'all' },
  { path: '/var/cache/libdnf5/**', why: 'lists of the archives, which move every hour', what: 'all' },
  { path: '/var/lib/rpm/__db.*', why: 'state of running processes', what: 'files' },
  { path: '/**/__pycache__/*.pyc', why: 'made from a source beside it, and has its time', what: 'files' },
];

const EXPRESSIONS = VOLATILE.map(({ path, what }) => ({ what, expression: expressionOf(path) }));

/** What of a path does not count; `undefined` when all of it does. @param path absolute */
export function volatileAt(path: string): VolatilePattern['what'] | undefined {
  return EXPRESSIONS.find(({ expression }) => expression.test(path))?.what;
}

function expressionOf(pattern: string): RegExp {
  const parts = pattern.split(/(\*\*|\*)/).map((part) => {
    if (part === '**') return '.*';
    return part === '*' ? '[^/]*' : part.replace(/[.+?^${}()|[\]\\]/g, '\\$&');
  });
  return new RegExp(`^${parts.join('')}$`, 's');
}
