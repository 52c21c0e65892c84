import type { Run } from '../domain/run.ts';
import type { LogTail, Page, RunFilter, RunView } from '../domain/service/views.ts';
import { notFound, type ServiceParts } from './parts.ts';
import { viewOfRequest, viewOfRun } from './run-views.ts';
import type { FactoryService } from './service.ts';

type RunQuestions = Pick<FactoryService, 'runs' | 'run' | 'waitForRun' | 'runLogs'>;

const DEFAULT_LIMIT = 50;
const BATCH = 100;
/** A filter that fits nothing must not read all that there is: the rest is the next page. */
const MOST_READ = 2_000;
const POLL_MS = 400;

export function createRunQuestions(parts: ServiceParts): RunQuestions {
  const run = async (id: string) => {
    const found = await findRun(id, parts);
    if (found === undefined) throw notFound(`there is no run ${id}, or it is older than the ledger's memory`);
    return found;
  };
  return {
    run,
    runs: (filter = {}) => listRuns(filter, parts),
    async waitForRun(id, { timeoutMs, signal }) {
      const end = parts.now().getTime() + timeoutMs;
      for (;;) {
        const view = await run(id);
        const left = end - parts.now().getTime();
        if (view.state === 'ended' || left <= 0 || signal.aborted) return view;
        await parts.sleep(Math.min(POLL_MS, left), signal).catch(() => undefined);
      }
    },
    async runLogs(id, { platform } = {}) {
      const { platforms } = await run(id);
      const wanted = platform === undefined ? platforms : platforms.filter((each) => each === platform);
      if (wanted.length === 0 && platform !== undefined) throw notFound(`run ${id} has no platform ${platform}`);
      return Promise.all(
        wanted.map(async (name): Promise<LogTail> => ({ platform: name, lines: await parts.ledger.log(id, name) })),
      );
    },
  };
}

async function findRun(id: string, { ledger, store }: ServiceParts): Promise<RunView | undefined> {
  const [known, request, cancellations] = await Promise.all([
    ledger.run(id),
    store.requestOf(id),
    store.cancelled([id]),
  ]);
  const cancelled = cancellations.get(id);
  if (known !== undefined) return viewOfRun(known, { request, cancelled });
  if (request === undefined) return undefined;
  return viewOfRequest(request, cancelled, cancelled === undefined ? await holdsOf(request.image, store) : []);
}

async function holdsOf(image: string, store: ServiceParts['store']): Promise<RunView['holds']> {
  const plan = await store.plan();
  return plan?.entries.find((entry) => entry.image === image)?.holds ?? [];
}

async function listRuns(filter: RunFilter, parts: ServiceParts): Promise<Page<RunView>> {
  const limit = Math.min(Math.max(filter.limit ?? DEFAULT_LIMIT, 1), 200);
  const found: RunView[] = filter.cursor === undefined ? await waitingRuns(filter, parts) : [];
  let behind = filter.cursor;
  for (let read = 0; found.length < limit && read < MOST_READ; read += BATCH) {
    const runs = await parts.ledger.runs({
      limit: BATCH,
      ...(filter.image && { image: filter.image }),
      ...(behind && { behind }),
    });
    for (const view of await viewsOf(runs, parts)) {
      if (found.length >= limit) break;
      behind = view.id;
      if (fits(view, filter)) found.push(view);
    }
    if (runs.length < BATCH && behind === (runs.at(-1)?.id ?? behind)) return { items: found };
  }
  return { items: found, ...(behind && { next: behind }) };
}

/** Not begun yet: newer than all that have. */
async function waitingRuns(filter: RunFilter, { store, ledger }: ServiceParts): Promise<RunView[]> {
  const [requests, plan] = await Promise.all([store.requests(), store.plan()]);
  const views = requests.map(async (request) => {
    if ((await ledger.run(request.runId)) !== undefined) return [];
    const holds = plan?.entries.find(({ image }) => image === request.image)?.holds ?? [];
    return [viewOfRequest(request, undefined, holds)];
  });
  const waiting = (await Promise.all(views)).flat().filter((view) => fits(view, filter));
  return waiting.sort((a, b) => (a.startedAt < b.startedAt ? 1 : -1));
}

async function viewsOf(runs: readonly Run[], { store }: ServiceParts): Promise<readonly RunView[]> {
  const cancelled = await store.cancelled(runs.map(({ id }) => id));
  const views = runs.map(async (run) => {
    const isAsked = run.reasons.some(({ kind }) => kind === 'requested');
    const request = isAsked ? await store.requestOf(run.id) : undefined;
    return viewOfRun(run, { request, cancelled: cancelled.get(run.id) });
  });
  return Promise.all(views);
}

function fits({ image, state, outcome, reasons, startedAt }: RunView, filter: RunFilter): boolean {
  if (filter.image !== undefined && image !== filter.image) return false;
  if (filter.state !== undefined && state !== filter.state) return false;
  if (filter.outcome !== undefined && outcome !== filter.outcome) return false;
  if (filter.reason !== undefined && !reasons.some(({ kind }) => kind === filter.reason)) return false;
  if (filter.since !== undefined && startedAt < filter.since) return false;
  return filter.until === undefined || startedAt < filter.until;
}
