import type { Config } from '../config.ts';
import type { Settings } from '../domain/fleet/model.ts';
import type { Places } from '../domain/places.ts';
import type { Reference } from '../domain/reference.ts';
import { createGateRunner } from '../gates/by-kind.ts';
import { createCommandGate } from '../gates/command.ts';
import { createConsumerGate } from '../gates/consumer.ts';
import type { GateRunner } from '../gates/gates.ts';
import { createWebhookGate } from '../gates/webhook.ts';
import type { Http } from '../lib/http.ts';
import type { Registry } from '../registry/registry.ts';
import { type Builders, readied } from './builders.ts';

export interface GateParts {
  readonly http: Http;
  readonly registry: Registry;
  readonly builders: Builders;
  readonly places: Places;
  readonly sourceOf: (upstream: Reference) => Reference;
}

/** A runner for each kind of gate. What a consumer builds is left in staging, without a tag. */
export function createGates(
  { root: own, definitions: root = own, secret }: Config,
  { fleet }: Settings,
  parts: GateParts,
): GateRunner {
  return createGateRunner({
    command: createCommandGate({ root }),
    webhook: createWebhookGate({ http: parts.http, fleet, secret }),
    consumer: createConsumerGate({ ...parts, root, builder: readied(parts.builders), pushTo: parts.places.staging }),
  });
}
