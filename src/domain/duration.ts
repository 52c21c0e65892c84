const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** `45 s`, `3 min`, `2 h 5 min`, `4 d`: two units where the second one matters. */
export function formatDuration(ms: number): string {
  const left = Math.max(0, ms);
  if (left < SECOND) return left < 1 ? '0 s' : `${(left / SECOND).toFixed(1)} s`;
  if (left < MINUTE) return `${Math.round(left / SECOND)} s`;
  if (left < HOUR) return two(left, [MINUTE, 'min'], left < 10 * MINUTE ? [SECOND, 's'] : undefined);
  if (left < 2 * DAY) return two(left, [HOUR, 'h'], [MINUTE, 'min']);
  return `${Math.round(left / DAY)} d`;
}

type Unit = readonly [ms: number, name: string];

function two(ms: number, [big, bigName]: Unit, small: Unit | undefined): string {
  const [smallMs, smallName] = small ?? [big, bigName];
  const whole = Math.round(ms / smallMs) * smallMs;
  const first = Math.floor(whole / big);
  const rest = Math.round((whole - first * big) / smallMs);
  return rest === 0 || small === undefined ? `${first} ${bigName}` : `${first} ${bigName} ${rest} ${smallName}`;
}
