/** Files that differ between builds of the same content, and say nothing about what an image does. */
export interface VolatilePattern {
  /** `*` within one folder, `**` through all below. */
  readonly path: string;
  readonly why: string;
}

/** Documented in docs/diff.md; a test keeps both the same. */
export const VOLATILE: readonly VolatilePattern[] = [
  { path: '/dev/**', why: 'mounted over when a container starts' },
  { path: '/proc/**', why: 'mounted over when a container starts' },
  { path: '/sys/**', why: 'mounted over when a container starts' },
  { path: '/run/**', why: 'state of running processes' },
  { path: '/tmp/**', why: 'nothing that has to last' },
  { path: '/var/tmp/**', why: 'nothing that has to last' },
  { path: '/etc/hostname', why: 'written when a container starts' },
  { path: '/etc/hosts', why: 'written when a container starts' },
  { path: '/etc/resolv.conf', why: 'written when a container starts' },
  { path: '/etc/passwd-', why: 'copy from before the last change' },
  { path: '/etc/group-', why: 'copy from before the last change' },
  { path: '/etc/shadow-', why: 'copy from before the last change' },
  { path: '/etc/gshadow-', why: 'copy from before the last change' },
  { path: '/etc/subuid-', why: 'copy from before the last change' },
  { path: '/etc/subgid-', why: 'copy from before the last change' },
  { path: '/var/log/**', why: 'has the time of each line' },
  { path: '/var/cache/ldconfig/aux-cache', why: 'has inode numbers and times of libraries' },
  { path: '/var/cache/debconf/*-old', why: 'copy from before the last change' },
  { path: '/var/lib/dpkg/*-old', why: 'copy from before the last change' },
  { path: '/var/cache/apt/**', why: 'made anew from the lists of the archives' },
  { path: '/var/lib/apt/lists/**', why: 'lists of the archives, which move every hour' },
  { path: '/var/lib/apt/extended_states.bak', why: 'copy from before the last change' },
  { path: '/var/cache/apk/**', why: 'lists of the archives, which move every hour' },
  { path: '/var/cache/dnf/**', why: 'lists of the archives, which move every hour' },
  { path: '/var/cache/libdnf5/**', why: 'lists of the archives, which move every hour' },
  { path: '/var/lib/rpm/__db.*', why: 'state of running processes' },
  { path: '/**/__pycache__/*.pyc', why: 'made from a source beside it, and has its time' },
];

const EXPRESSIONS = VOLATILE.map(({ path }) => expressionOf(path));

/** @param path absolute */
export function isVolatile(path: string): boolean {
  return EXPRESSIONS.some((expression) => expression.test(path));
}

function expressionOf(pattern: string): RegExp {
  const parts = pattern.split(/(\*\*|\*)/).map((part) => {
    if (part === '**') return '.*';
    return part === '*' ? '[^/]*' : part.replace(/[.+?^${}()|[\]\\]/g, '\\$&');
  });
  return new RegExp(`^${parts.join('')}$`, 's');
}
