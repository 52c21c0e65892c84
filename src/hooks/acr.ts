import { z } from 'zod';
import { readCloudEvents } from './cloud-event.ts';
import { type Dialect, type HookRequest, hints, NOTHING, type Reading } from './hooks.ts';
import { readBody } from './json.ts';
import { hintOf, RegistryEvent } from './registry-event.ts';
import { hasSecret } from './secrets.ts';

const PUSHED = 'Microsoft.ContainerRegistry.ImagePushed';
const VALIDATION = 'Microsoft.EventGrid.SubscriptionValidationEvent';

/** https://learn.microsoft.com/en-us/azure/event-grid/event-schema: always a list. */
const GridEvents = z.array(z.object({ eventType: z.string(), topic: z.string().nullish(), data: z.unknown() }));
const Validation = z.object({ validationCode: z.string() });

/**
 * Azure Container Registry: its own webhooks (https://learn.microsoft.com/en-us/azure/container-registry/container-registry-webhook-reference),
 * and Event Grid in both of its schemas (https://learn.microsoft.com/en-us/azure/event-grid/event-schema-container-registry).
 */
export const acr: Dialect = {
  holds: hasSecret,
  read(request) {
    const cloud = readCloudEvents(request);
    if (cloud !== undefined && cloud.length > 0) {
      return all(
        cloud.map(({ type, source, data }) => ({ type, registry: source, data })),
        request,
      );
    }
    if (isList(request)) {
      return readBody(request, GridEvents, (events) => {
        const [first] = events;
        const validation = first?.eventType === VALIDATION ? Validation.safeParse(first.data).data : undefined;
        // https://learn.microsoft.com/en-us/azure/event-grid/end-point-validation-event-grid-events-schema
        if (validation) return { kind: 'handshake', answer: { validationResponse: validation.validationCode } };
        return all(
          events.map(({ eventType, topic, data }) => ({ type: eventType, registry: topic ?? '', data })),
          request,
        );
      });
    }
    return readBody(request, RegistryEvent, (event) => hints(hintOf(event, request)));
  },
};

function all(
  events: readonly { readonly type: string; readonly registry: string; readonly data: unknown }[],
  request: HookRequest,
): Reading {
  const images = events.flatMap(({ type, registry, data }) => {
    const event = type === PUSHED ? RegistryEvent.safeParse(data).data : undefined;
    if (event === undefined) return [];
    const host = event.request?.host ?? hostOf(registry);
    return hintOf({ ...event, request: { host } }, request);
  });
  return images.length === 0 ? NOTHING : hints(images);
}

/** `/subscriptions/…/providers/Microsoft.ContainerRegistry/registries/<name>` */
function hostOf(resource: string): string | undefined {
  const name = /\/registries\/([^/]+)/i.exec(resource)?.[1];
  return name === undefined ? undefined : `${name.toLowerCase()}.azurecr.io`;
}

function isList({ body }: HookRequest): boolean {
  return Buffer.from(body.subarray(0, 64)).toString('utf8').trimStart().startsWith('[');
}
