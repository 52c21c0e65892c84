/** Servers that downstream repositories and definitions are on. */
export type WebForgeName = 'gitea' | 'forgejo' | 'github' | 'gitlab';

/** Front pages of those that most people mean. */
export const FORGE_HOMES = { github: 'https://github.com', gitlab: 'https://gitlab.com' } as const;

/** Where its REST API is. @param home address of its front page, without a slash at its end */
export function apiOf(forge: WebForgeName, home: string): string {
  switch (forge) {
    case 'gitlab':
      return `${home}/api/v4`;
    case 'github':
      return new URL(home).host === 'github.com' ? 'https://api.github.com' : `${home}/api/v3`;
    default:
      return `${home}/api/v1`;
  }
}
