import type { ForgeCall, RepositoryFile } from '../forge.ts';
import type { Place } from '../place.ts';
import type { Repository } from './answers.ts';
import type { Graphql } from './graphql.ts';

/** One repository at GitHub, as the parts of the adapter see it. */
export interface GithubPlace extends Place {
  readonly graphql: Graphql;
  /** What changes hardly ever, asked for once. */
  facts(call: ForgeCall): Promise<Repository>;
  filesOf(commit: string, call: ForgeCall): Promise<readonly RepositoryFile[]>;
}
