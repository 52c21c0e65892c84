import { headOf } from '../fake-git.ts';
import {
  blobAnswer,
  compareAnswer,
  mergeAnswer,
  notesAnswer,
  pipelinesAnswer,
  projectAnswer,
  statusesAnswer,
  treeAnswer,
  USERS,
  userAnswer,
} from './answers.ts';
import {
  accept,
  type FakeMerge,
  type FakeProject,
  isActive,
  isDraft,
  mergeStatusOf,
  pipelineOf,
  settle,
} from './project.ts';

export interface Answer {
  readonly status: number;
  readonly body?: unknown;
}

// biome-ignore lint/suspicious/noExplicitAny: JSON of any shape
type Body = Record<string, any>;

export interface Ask {
  readonly parameters: readonly string[];
  readonly query: URLSearchParams;
  readonly body: Body;
}

export interface Route {
  /** Of its query or its body: others are mistakes. */
  readonly takes: readonly string[];
  answer(project: FakeProject, ask: Ask): Promise<Answer>;
}

export function refused(status: number, message: unknown): Answer {
  return { status, body: { message } };
}

const ok = (body: unknown, status = 200): Answer => ({ status, body });
const PAGES = ['page', 'per_page'];
const CREATES = ['title', 'description', 'labels', 'reviewer_ids', 'assignee_ids', 'remove_source_branch'];

/** Below `/projects/:id`; those of the API's own declarations (lib/api of GitLab), as far as the adapter uses them. */
export const ROUTES: Readonly<Record<string, Route>> = {
  'GET /projects/:id': { takes: [], answer: async (project) => ok(projectAnswer(project)) },
  'GET /projects/:id/repository/tree': {
    takes: ['ref', 'recursive', 'pagination', 'page_token', ...PAGES],
    answer: async (project, { query }) => ok(await treeAnswer(project, query.get('ref')!)),
  },
  'GET /projects/:id/repository/blobs/:sha': {
    takes: [],
    answer: async (project, { parameters: [sha] }) => ok(await blobAnswer(project, sha!)),
  },
  'GET /projects/:id/repository/compare': {
    takes: ['from', 'to', 'straight'],
    async answer(project, { query }) {
      const [from, to] = [query.get('from')!, query.get('to')!];
      const heads = await Promise.all([headOf(project, from), headOf(project, to)]);
      return heads.includes(undefined) ? refused(404, '404 Ref Not Found') : ok(await compareAnswer(project, from, to));
    },
  },
  'DELETE /projects/:id/repository/branches/:branch': {
    takes: [],
    async answer(project, { parameters: [branch] }) {
      if ((await headOf(project, branch!)) === undefined) return refused(404, '404 Branch Not Found');
      await project.git(['update-ref', '-d', `refs/heads/${branch}`]);
      return { status: 204 };
    },
  },
  'GET /projects/:id/repository/commits/:sha/statuses': {
    takes: [...PAGES],
    answer: async (project, { parameters: [sha] }) => ok(statusesAnswer(project, sha!)),
  },
  'GET /projects/:id/pipelines': {
    takes: ['sha', 'order_by', 'sort', ...PAGES],
    answer: async (project, { query }) => ok(pipelinesAnswer(project, query.get('sha')!)),
  },
  'GET /projects/:id/merge_requests': {
    takes: ['state', 'source_branch', ...PAGES],
    async answer(project, { query }) {
      const [state, source] = [query.get('state'), query.get('source_branch')];
      const found = project.merges.filter(
        (merge) => (state === 'all' || merge.state === state) && (source === null || merge.source === source),
      );
      return ok(await Promise.all(found.reverse().map((merge) => mergeAnswer(project, merge))));
    },
  },
  'POST /projects/:id/merge_requests': { takes: ['source_branch', 'target_branch', ...CREATES], answer: create },
  'GET /projects/:id/merge_requests/:iid': {
    takes: [],
    answer: (project, ask) =>
      withMerge(project, ask, async (merge) => {
        const answer = await mergeAnswer(project, merge);
        merge.undecided = Math.max(0, merge.undecided - 1);
        return ok(answer);
      }),
  },
  'PUT /projects/:id/merge_requests/:iid': { takes: [...CREATES, 'state_event'], answer: update },
  'PUT /projects/:id/merge_requests/:iid/merge': {
    takes: ['sha', 'auto_merge', 'merge_when_pipeline_succeeds'],
    answer: (project, ask) => withMerge(project, ask, (merge) => acceptMerge(project, merge, ask.body)),
  },
  'GET /projects/:id/merge_requests/:iid/approvals': {
    takes: [],
    answer: async ({ settings }) => ok({ approvals_required: settings.approvals }),
  },
  'GET /projects/:id/merge_requests/:iid/notes': {
    takes: ['order_by', 'sort', ...PAGES],
    answer: (project, ask) => withMerge(project, ask, async (merge) => ok(notesAnswer(project, merge))),
  },
  'POST /projects/:id/merge_requests/:iid/notes': {
    takes: ['body'],
    answer: (project, ask) =>
      withMerge(project, ask, async (merge) => {
        obey(merge, ask.body.body);
        note(merge, ask.body.body);
        return ok(notesAnswer(project, merge).at(-1), 201);
      }),
  },
};

export function usersAnswer(username: string | null) {
  return USERS.filter((user) => user.username === username).map(({ id }) => userAnswer(id));
}

async function withMerge(
  project: FakeProject,
  { parameters: [iid] }: Ask,
  answer: (merge: FakeMerge) => Promise<Answer>,
) {
  const merge = project.merges.find((each) => each.iid === Number(iid));
  return merge === undefined ? refused(404, '404 Not found') : answer(merge);
}

function note(merge: FakeMerge, body: string, system = false): void {
  merge.notes.push({ author: 1, body, at: new Date().toISOString(), system });
}

/** Quick actions: GitLab does what lines of a text tell it to. */
function obey(merge: FakeMerge, written: string): void {
  if (/^\/close\b/m.test(written)) merge.state = 'closed';
}

async function create(project: FakeProject, { body }: Ask): Promise<Answer> {
  const sha = await headOf(project, body.source_branch);
  if (sha === undefined) return refused(400, { base: ['Source branch does not exist'] });
  const twin = openTwin(project, body.source_branch, body.target_branch);
  if (twin !== undefined && !project.settings.racy)
    return refused(409, [`Another open merge request already exists for this source branch: !${twin.iid}`]);
  const now = new Date().toISOString();
  // Who is no member is left out without a word; the free edition takes one
  const members = (ids: number[] = []) => ids.filter((id) => id !== 4).slice(0, project.settings.free ? 1 : undefined);
  const merge: FakeMerge = {
    ...{ iid: project.merges.length + 1, source: body.source_branch, target: body.target_branch, sha },
    ...{ title: body.title, description: body.description ?? '', state: 'opened', undecided: 1, autoMerge: false },
    ...{ removesBranch: body.remove_source_branch ?? false, createdAt: now, updatedAt: now, notes: [] },
    labels: (body.labels ?? '').split(',').filter(Boolean),
    ...{ reviewers: members(body.reviewer_ids), assignees: members(body.assignee_ids) },
  };
  project.merges.push(merge);
  obey(merge, merge.description);
  return ok(await mergeAnswer(project, merge), 201);
}

function openTwin({ merges }: FakeProject, source: string, target: string): FakeMerge | undefined {
  return merges.find((each) => each.state === 'opened' && each.source === source && each.target === target);
}

async function update(project: FakeProject, ask: Ask): Promise<Answer> {
  return withMerge(project, ask, async (merge) => {
    const { state_event: event, title = merge.title, description = merge.description } = ask.body;
    const twin = openTwin(project, merge.source, merge.target);
    if (event === 'reopen' && twin !== undefined) return refused(409, [`Another open merge request: !${twin.iid}`]);
    if (title !== merge.title) note(merge, `changed title from **${merge.title}** to **${title}**`, true);
    Object.assign(merge, { title, description, updatedAt: new Date().toISOString() });
    if (event !== undefined) merge.state = event === 'reopen' ? 'opened' : 'closed';
    obey(merge, ask.body.description ?? '');
    return ok(await mergeAnswer(project, merge));
  });
}

/** In the order of GitLab's own code: 405 for what cannot be now, 409 for a branch that moved. */
async function acceptMerge(project: FakeProject, merge: FakeMerge, body: Body): Promise<Answer> {
  await settle(project);
  const status = await mergeStatusOf(project, merge);
  const pipeline = pipelineOf(project, merge.sha);
  const isAuto = body.auto_merge === true || body.merge_when_pipeline_succeeds === true;
  const isBroken = isDraft(merge) || ['checking', 'not_open', 'broken_status'].includes(status);
  const isLater = isAuto && !isBroken && (isActive(pipeline) || status === 'not_approved');
  const isNow = !isBroken && (isAuto ? pipeline === 'success' && !isLater : status === 'mergeable');
  if (!isNow && !isLater) return refused(405, '405 Method Not Allowed');
  if (body.sha !== undefined && body.sha !== merge.sha)
    return refused(409, `SHA does not match HEAD of source branch: ${merge.sha}`);
  if (isNow) await accept(project, merge);
  else merge.autoMerge = true;
  return ok(await mergeAnswer(project, merge));
}
