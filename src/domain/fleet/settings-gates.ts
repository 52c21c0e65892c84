import { z } from 'zod';
import { KNOWN_PLATFORMS, type Platform } from '../platform.ts';
import { Duration, Line, Name, RelativePath, VariableName } from './values.ts';

/** A test outside of the image itself that a release has to pass. */
export interface Gate {
  readonly name: string;
  /** `before`: a release needs it. `after`: the channels that name it need it. */
  readonly when: 'before' | 'after';
  /** Images that it is for. Absent: all. */
  readonly images?: readonly string[];
  readonly timeoutSeconds: number;
  readonly test: GateTest;
}

export type GateTest =
  /** An argv, run beside ingot.yaml; exit 0 passes. */
  | { readonly kind: 'command'; readonly argv: readonly string[] }
  /** Told with POST; an answer of 2xx passes. */
  | { readonly kind: 'webhook'; readonly url: string; readonly secretVariable?: string }
  /** A Dockerfile that is FROM the image, built on the candidate; a build that ends well passes. */
  | {
      readonly kind: 'consumer';
      /** Relative to ingot.yaml. */
      readonly context: string;
      /** Below the context. */
      readonly dockerfile: string;
      readonly target?: string;
      /** Absent: those of the image. */
      readonly platforms?: readonly Platform[];
    };

const Webhook = z.strictObject({
  url: z
    .string()
    .regex(/^https?:\/\/[^\s@]+$/, 'must be an address without user and password; sign with "secret" instead'),
  secret: z.strictObject({ env: VariableName }).optional(),
});

const Consumer = z.strictObject({
  context: z.string().regex(/^[^\0\n]+$/, 'is no path'),
  dockerfile: RelativePath.default('Dockerfile'),
  target: Line.min(1, 'is empty').optional(),
  platforms: z.array(z.enum(KNOWN_PLATFORMS)).min(1, 'is empty').optional(),
});

const DEFAULT_TIMEOUT_SECONDS = 10 * 60;

export const GateFile = z
  .strictObject({
    name: Name,
    when: z.enum(['before', 'after']),
    images: z.array(Name).min(1, 'is empty; leave it out for all images').optional(),
    timeout: Duration.default(DEFAULT_TIMEOUT_SECONDS),
    command: z.array(z.string().min(1, 'is empty')).min(1, 'is empty; write the program and its arguments').optional(),
    webhook: Webhook.optional(),
    consumer: Consumer.optional(),
  })
  .refine(
    ({ command, webhook, consumer }) => [command, webhook, consumer].filter((test) => test !== undefined).length === 1,
    'must say how it tests; write one of command, webhook and consumer',
  )
  .transform(
    ({ name, when, images, timeout, ...tests }): Gate => ({
      name,
      when,
      ...(images === undefined ? {} : { images }),
      timeoutSeconds: timeout,
      test: toTest(tests),
    }),
  );

function toTest({
  command,
  webhook,
  consumer,
}: {
  command?: string[] | undefined;
  webhook?: z.infer<typeof Webhook> | undefined;
  consumer?: z.infer<typeof Consumer> | undefined;
}): GateTest {
  if (command !== undefined) return { kind: 'command', argv: command };
  if (webhook !== undefined) {
    const { url, secret } = webhook;
    return { kind: 'webhook', url, ...(secret === undefined ? {} : { secretVariable: secret.env }) };
  }
  const { context, dockerfile, target, platforms } = consumer!;
  return {
    kind: 'consumer',
    context,
    dockerfile,
    ...(target === undefined ? {} : { target }),
    ...(platforms === undefined ? {} : { platforms }),
  };
}

/** The gates of an image at one moment, in their order. */
export function gatesOf(gates: readonly Gate[], image: string, when: Gate['when']): readonly Gate[] {
  return gates.filter((gate) => gate.when === when && (gate.images?.includes(image) ?? true));
}
