import { z } from 'zod';
import { readCloudEvents } from './cloud-event.ts';
import { type Dialect, type HookRequest, hints, invalid, NOTHING, type Reading } from './hooks.ts';
import { readBody } from './json.ts';
import { hasSecret } from './secrets.ts';

const Data = z.object({
  resources: z.array(
    z.object({ digest: z.string().optional(), tag: z.string().optional(), resource_url: z.string().optional() }),
  ),
  repository: z.object({ repo_full_name: z.string() }),
});
type Data = z.infer<typeof Data>;

const Payload = z.object({ type: z.string(), event_data: z.unknown() });

/**
 * https://goharbor.io/docs/latest/working-with-projects/project-configuration/configure-webhooks/ in both of its formats.
 * The "auth header" of the policy arrives as `Authorization`, word for word.
 */
export const harbor: Dialect = {
  holds: hasSecret,
  read(request) {
    const [event] = readCloudEvents(request) ?? [];
    if (event !== undefined) {
      return event.type === 'harbor.artifact.pushed' ? pushed(event.data, request) : NOTHING;
    }
    return readBody(request, Payload, ({ type, event_data: data }) =>
      type === 'PUSH_ARTIFACT' ? pushed(data, request) : NOTHING,
    );
  },
};

function pushed(data: unknown, { registry }: HookRequest): Reading {
  const parsed = Data.safeParse(data);
  if (!parsed.success) return invalid('the event says no repository and resources');
  const { resources, repository } = parsed.data;
  return hints(
    resources.flatMap((resource) => {
      const host = registry ?? hostOf(resource);
      if (host === undefined) return [];
      const { tag, digest } = resource;
      const isTag = tag !== undefined && !tag.includes(':'); // Harbor repeats the digest where there is no tag
      return [
        {
          repository: `${host}/${repository.repo_full_name}`,
          tags: isTag ? [tag] : [],
          ...(digest !== undefined && { mark: digest }),
        },
      ];
    }),
  );
}

/** `harbor.acme.example/project/name:tag` */
function hostOf({ resource_url: url }: Data['resources'][number]): string | undefined {
  return url?.replace(/^https?:\/\//, '').split('/')[0] || undefined;
}
