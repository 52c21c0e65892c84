import Table from 'cli-table3';
import { HOOK_OUTCOMES, type HookView } from '../domain/hooks.ts';

/** `ingot hooks`: what came in, and what became of it. */
export function hooksText(hooks: readonly HookView[]): string {
  if (hooks.length === 0) return 'no webhook is set up; "hooks" in ingot.yaml does that';
  const table = new Table({ head: ['hook', ...HOOK_OUTCOMES, 'last'], style: { head: [], border: [] } });
  for (const { dialect, configured, counts, lastAt = '' } of hooks) {
    const name = configured ? dialect : `${dialect} (not set up)`;
    table.push([name, ...HOOK_OUTCOMES.map((outcome) => counts[outcome]), lastAt]);
  }
  const unknown = hooks.flatMap(({ dialect, unknown: names }) =>
    names.map(({ name, count }) => `${dialect}: no image uses ${name} (${count})`),
  );
  return [table.toString(), ...unknown].join('\n');
}
