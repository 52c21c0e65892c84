import type { HookDialect } from '../domain/hooks.ts';
import { acr } from './acr.ts';
import { cloudevents } from './cloudevents.ts';
import { distribution } from './distribution.ts';
import { dockerHub } from './docker-hub.ts';
import { gitea } from './gitea.ts';
import { github } from './github.ts';
import { gitlab } from './gitlab.ts';
import { harbor } from './harbor.ts';
import type { Dialect } from './hooks.ts';
import { quay } from './quay.ts';
import { zot } from './zot.ts';

export const DIALECTS: Readonly<Record<HookDialect, Dialect>> = {
  ...{ acr, cloudevents, distribution, gitea, github, gitlab, harbor, quay, zot },
  'docker-hub': dockerHub,
};

/** Those whose senders ask with OPTIONS first whether they may send (CloudEvents web hooks, section 4). */
export const ASKING_FIRST: readonly HookDialect[] = ['acr', 'cloudevents', 'harbor', 'zot'];
