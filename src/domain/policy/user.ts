import type { PolicyCheck } from './check.ts';

/** The image must not run as root unless told to. A name is taken at its word; only `root` is known to be 0. */
export const userCheck: PolicyCheck = {
  id: 'user',
  run: ({ platforms }, { user: level }) =>
    platforms.flatMap(({ platform, config }) => {
      const { User: user = '' } = config.config;
      if (level === 'off' || !isRoot(user)) return [];
      const runs = user === '' ? 'no user is set, so that it runs as root' : `it runs as root (user "${user}")`;
      const message = `${runs}; set user to a number other than 0`;
      return [{ check: 'user', level, platform, subject: 'user', message }];
    }),
};

/** `user[:group]`; a number may have leading zeros or a sign (OCI image-spec v1.1 config.md, User). */
function isRoot(user: string): boolean {
  const [name = ''] = user.split(':');
  return name.trim() === '' || name === 'root' || /^[+-]?0+$/.test(name);
}
