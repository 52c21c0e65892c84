import { shortDigest } from './digest.ts';
import { goesBack, type PullRequestFacts } from './pull-request.ts';

type MessageFacts = Pick<PullRequestFacts, 'image' | 'before' | 'after' | 'reasons' | 'leaves' | 'pins'>;

/** What `git log` says of a change, without Markdown: the subject is the title of its pull request. */
export function renderCommitMessage(title: string, facts: MessageFacts): string {
  const { image, before, after, reasons, leaves = [], pins } = facts;
  const from = [before.version, before.digest && shortDigest(before.digest)].filter(Boolean).join(', ');
  const places = pins.length === 1 ? '1 place names' : `${pins.length} places name`;
  const bad = leaves.map(({ version, digest, why }) => `${version ?? shortDigest(digest)} is quarantined: ${why}`);
  const why = [...bad, ...(goesBack(facts) ? [] : reasons)].map((reason) => `- ${oneLine(reason)}`);
  const what = `${places} the golden image ${image}:\n${from || 'not pinned'} becomes ${after.version}, ${shortDigest(after.digest)}.`;
  return [title, what, ...(why.length === 0 ? [] : [why.join('\n')])].join('\n\n');
}

/** With a trailer that says who signs off (git-commit, `--signoff`), after the trailers that are there. */
export function signedOff(message: string, { name, email }: { readonly name: string; readonly email: string }): string {
  return `${message.trimEnd()}\n\nSigned-off-by: ${name} <${email}>`;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
