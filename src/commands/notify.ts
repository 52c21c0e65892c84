import Table from 'cli-table3';
import type { Fleet } from '../domain/fleet/model.ts';
import { suggestion } from '../domain/fleet/nearest.ts';
import type { NotifyChannel } from '../domain/fleet/settings-notify.ts';
import { testMessage } from '../domain/notifications.ts';
import type { NotifyChannelView } from '../domain/service/notify.ts';
import type { Notifier } from '../notify/notify.ts';
import { explainError } from './errors.ts';
import type { Output } from './output.ts';

export interface NotifyTestDeps {
  readonly fleet: Fleet;
  notifierOf(channel: NotifyChannel): Promise<Notifier>;
  readonly json: boolean;
  readonly signal: AbortSignal;
  readonly newId: () => string;
  /** Of the definitions, when they are in a repository. */
  readonly commit?: string | undefined;
  readonly now: () => Date;
}

/** `ingot notify test CHANNEL`: sends one, and says what the other side answered. 0 taken, 1 not taken, 2 no such channel. */
export async function notifyTestCommand(name: string, output: Output, deps: NotifyTestDeps): Promise<number> {
  const { notify, fleet } = deps.fleet.settings;
  const channel = notify.channels.find((each) => each.name === name);
  if (channel === undefined) {
    const names = notify.channels.map((each) => each.name);
    const meant = suggestion(name, names) ?? 'it has none';
    output.progress.write(`"notify" in ingot.yaml has no channel "${name}"; ${meant}\n`);
    return 2;
  }
  const id = `ingot-test-${deps.newId()}`;
  const message = testMessage(name, fleet, { id, at: deps.now().toISOString(), commit: deps.commit });
  try {
    const answer = await (await deps.notifierOf(channel)).send(message, { signal: deps.signal });
    if (deps.json) output.json({ channel: name, sent: true, answer });
    else output.line(`${name} took it: ${answer}`);
    return 0;
  } catch (error) {
    if (deps.json) output.json({ channel: name, sent: false, answer: explainError(error) });
    else output.line(`${name} did not take it: ${explainError(error)}`);
    return 1;
  }
}

/** `ingot notify list`: the channels, and how they do. */
export function notifyText(channels: readonly NotifyChannelView[]): string {
  if (channels.length === 0) return 'nobody is told anything; "notify" in ingot.yaml does that';
  const table = new Table({
    head: ['channel', 'kind', 'sent', 'waiting', 'given up', 'last'],
    style: { head: [], border: [] },
  });
  for (const { name, kind, sent, waiting, failed, lastSentAt = '' } of channels) {
    table.push([name, kind, sent, waiting, failed, lastSentAt]);
  }
  const troubles = channels.flatMap(({ name, error, nextTryAt, lastError, lastFailedAt }) => [
    ...(error === undefined ? [] : [`${name}: ${error}; tried again at ${nextTryAt}`]),
    ...(lastError === undefined ? [] : [`${name}: given up at ${lastFailedAt}: ${lastError}`]),
  ]);
  return [table.toString(), ...troubles].join('\n');
}
