/** Something that a person has to change. One line what, one what to do. */
export class Problem extends Error {
  constructor(message, remedy, output = '') {
    super(message);
    this.remedy = remedy;
    /** What the failed program said, if one did. */
    this.output = output;
  }
}

const CAUSES = [
  [/no space left on device|ENOSPC/i, 'the disk is full', 'free some space and run the same command again'],
  [
    /dial tcp|i\/o timeout|connection refused|no such host|TLS handshake|proxyconnect|ENOTFOUND|ETIMEDOUT|ECONNREFUSED|EAI_AGAIN|ECONNRESET|Could not resolve|Unable to connect|Failed to fetch|Temporary failure|Could not connect/i,
    'a package registry does not answer',
    'check the network, or name your proxy (HTTPS_PROXY, NO_PROXY) or mirror (GOPROXY, npm config, apt sources); ' +
      'what is done stays, run the same command again',
  ],
];

/** What a failed program's output means, with its last lines. */
export function problemOf(what, output) {
  const found = CAUSES.find(([pattern]) => pattern.test(output));
  const [, why, remedy] = found ?? [undefined, undefined, 'the lines above are its own last words'];
  const last = output
    .trimEnd()
    .split('\n')
    .slice(-12)
    .map((line) => `    ${line}`)
    .join('\n');
  return new Problem(`${what} failed${why ? `: ${why}` : ''}\n${last}`, remedy, output);
}
