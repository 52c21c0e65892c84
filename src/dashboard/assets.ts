import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Hono } from 'hono';
import type { ApiEnv } from '../api/operation.ts';

const TYPES = { css: 'text/css; charset=utf-8', js: 'text/javascript; charset=utf-8' } as const;

interface Asset {
  /** With a part of its hash in the name: what has this name never changes. */
  readonly path: string;
  readonly type: string;
  readonly text: string;
}

export const STYLE = readAsset('style', 'css');
export const SCRIPT = readAsset('live', 'js');

/** The style and the script of the pages; public, since they say nothing. */
export function assetRoutes(): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  for (const { path, type, text } of [STYLE, SCRIPT]) {
    app.get(path, (c) =>
      c.body(text, 200, { 'content-type': type, 'cache-control': 'public, max-age=31536000, immutable' }),
    );
  }
  return app;
}

function readAsset(name: string, kind: keyof typeof TYPES): Asset {
  const text = readFileSync(new URL(`./assets/${name}.${kind}`, import.meta.url), 'utf8');
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 12);
  return { path: `/assets/${name}-${hash}.${kind}`, type: TYPES[kind], text };
}
