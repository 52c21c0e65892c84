/** Debian's order of package versions: negative when `a` is older (Debian policy 5.6.12; dpkg, lib/dpkg/version.c). */
export function compareDebianVersions(a: string, b: string): number {
  const [left, right] = [split(a), split(b)];
  return left.epoch - right.epoch || compare(left.upstream, right.upstream) || compare(left.revision, right.revision);
}

function split(version: string): { epoch: number; upstream: string; revision: string } {
  const [, epoch = '0', rest = ''] = /^(?:(\d+):)?(.*)$/s.exec(version) ?? [];
  const dash = rest.lastIndexOf('-');
  const upstream = dash === -1 ? rest : rest.slice(0, dash);
  return { epoch: Number(epoch), upstream, revision: dash === -1 ? '' : rest.slice(dash + 1) };
}

/** Turns of text without digits and of digits, compared one after the other. */
function compare(a: string, b: string): number {
  const [left, right] = [turns(a), turns(b)];
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const order = compareTurn(left[index] ?? ['', 0n], right[index] ?? ['', 0n]);
    if (order !== 0) return order;
  }
  return 0;
}

type Turn = readonly [text: string, number: bigint];

function turns(text: string): Turn[] {
  return [...text.matchAll(/(\D*)(\d*)/g)]
    .slice(0, -1)
    .map(([, letters = '', digits]) => [letters, BigInt(digits || 0)]);
}

function compareTurn([textA, numberA]: Turn, [textB, numberB]: Turn): number {
  for (let index = 0; index < Math.max(textA.length, textB.length); index++) {
    const order = weight(textA[index]) - weight(textB[index]);
    if (order !== 0) return order;
  }
  return numberA === numberB ? 0 : numberA < numberB ? -1 : 1;
}

/** A tilde sorts before the end, letters before everything else. */
function weight(character: string | undefined): number {
  if (character === undefined) return 0;
  if (character === '~') return -1;
  const code = character.charCodeAt(0);
  return /[A-Za-z]/.test(character) ? code : code + 256;
}
