import type { Hono } from 'hono';
import type { AuditReader } from '../access/audit-reader.ts';
import type { AuthDeps } from '../api/auth.ts';
import type { ApiContext, ApiEnv } from '../api/operation.ts';
import type { Cached } from './cached.ts';
import type { GraphLayouts } from './graph.ts';

/** What the pages are given; who asks, and the service as they may use it, are in the request. */
export interface DashboardDeps extends AuthDeps {
  readonly readAudit: AuditReader;
  readonly isSecure: boolean;
  /** Errors that are nobody's business outside. */
  readonly onTrouble: (message: string) => void;
  readonly now?: () => Date;
}

/** What all pages share. */
export interface Pages {
  readonly deps: DashboardDeps;
  readonly now: () => Date;
  readonly layouts: GraphLayouts;
  /** Pull requests of all downstreams: asking every forge takes longer than a page may. */
  readonly pulls: Cached<Awaited<ReturnType<DashboardDeps['service']['pulls']>>>;
}

export type PageRoutes = Hono<ApiEnv>;
export type PageContext = ApiContext;
