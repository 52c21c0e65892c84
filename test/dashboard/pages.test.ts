import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type DashboardScene, startDashboardScene } from '../support/dashboard-scene.ts';

let scene: DashboardScene;
let admin: string;
let viewer: string;

beforeAll(async () => {
  scene = await startDashboardScene({ images: 30, runs: 300 });
  [admin, viewer] = [await scene.signIn('admin'), await scene.signIn('viewer')];
});
afterAll(() => scene.stop());

const PAGES = ['/', '/images/debian', '/runs', '/upstreams', '/downstreams', '/freshness', '/workers', '/audit'];

/** Of all rows of the first table that has such a caption. */
function rowsOf(text: string, caption: string): readonly string[] {
  const table = text.slice(text.indexOf(`hidden-text">${caption}`));
  const body = table.slice(table.indexOf('<tbody>') + 7, table.indexOf('</tbody>'));
  return body.split('<tr>').slice(1);
}

describe('every page', () => {
  test.each(PAGES)('%s is whole, and says nothing that a strict policy would refuse', async (path) => {
    const { status, text, headers } = await scene.get(path, admin);

    expect(status).toBe(200);
    expect(text).toMatch(/<h1>.+<\/h1>/s);
    expect(text).toMatch(/<\/html>$/);
    expect(text).not.toMatch(/\sstyle="|\son[a-z]+="|<script(?! type="module" src="\/assets\/live-[0-9a-f]{12}\.js")/);
    expect(text).not.toMatch(/undefined|\[object|NaN/);
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(headers.get('content-security-policy')).toContain("script-src 'self'");
    expect(scene.troubles).toEqual([]);
  });

  test.each(PAGES)('%s leads who is not signed in to the form, and back', async (path) => {
    const { status, headers } = await scene.get(path);

    expect(status).toBe(303);
    expect(headers.get('location')).toBe(path === '/' ? '/login' : `/login?to=${encodeURIComponent(path)}`);
  });

  test('has ids that are there once', async () => {
    for (const path of PAGES) {
      const { text } = await scene.get(path, admin);
      const ids = [...text.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);

      expect(ids, path).toEqual([...new Set(ids)]);
    }
  });

  test('refers to style and script by names that change with them', async () => {
    const { text } = await scene.get('/', admin);
    const [, style = ''] = /href="(\/assets\/style-[^"]+)"/.exec(text)!;

    const asset = await scene.get(style);

    expect(asset.headers.get('cache-control')).toContain('immutable');
    expect(asset.headers.get('content-type')).toContain('text/css');
  });
});

describe('the fleet', () => {
  test('shows what needs somebody first, and finds by words of name, upstream or reason', async () => {
    const all = rowsOf((await scene.get('/', admin)).text, 'Images');
    const held = rowsOf((await scene.get('/?state=held', admin)).text, 'Images');
    const found = rowsOf((await scene.get('/?q=libssl3+gate', admin)).text, 'Images');

    expect(all).toHaveLength(30);
    expect(all[0]).toContain('could not be asked');
    expect(held.every((row) => row.includes('s-held'))).toBe(true);
    expect(found.map((row) => /\/images\/([^"]+)/.exec(row)![1])).toEqual(['gateway']);
  });

  test('draws every image as a link with its state, and pales what does not fit', async () => {
    const { text } = await scene.get('/?q=python', admin);

    const nodes = [...text.matchAll(/<a class="node s-(\w+)( dim)?" href="\/images\/([^"]+)"/g)];

    expect(nodes).toHaveLength(30);
    expect(nodes.find(([, , , name]) => name === 'python')![2]).toBeUndefined();
    expect(nodes.find(([, , , name]) => name === 'nginx')![2]).toBe(' dim');
  });

  test('ignores nonsense in the address', async () => {
    const { status, text } = await scene.get('/?state=%3Cscript%3E&page=x&q=%22%3E%3Cscript%3E', admin);

    expect(status).toBe(200);
    expect(text).not.toContain('<script>');
    expect(text).toContain('value="&quot;&gt;&lt;script&gt;"');
  });
});

describe('an image', () => {
  test('says why, what was released and what is in it, and who pins it', async () => {
    const { text } = await scene.get('/images/debian', admin);

    expect(text).toContain('Nothing that is in it changed since its release');
    expect(text).toMatch(/<svg [^>]*role="img" aria-label="Compressed size by release: 12\.4\.1 /);
    expect(text).toMatch(/s-quarantined.*broke TLS to old servers/s);
    expect(text).toContain('/images/debian/diff?before=12.4.8&amp;after=12.4.9');
    expect(rowsOf(text, 'Repositories that pin').length).toBeGreaterThan(0);
  });

  test('that is not there is said as a page', async () => {
    const { status, text } = await scene.get('/images/nowhere', admin);

    expect(status).toBe(404);
    expect(text).toContain('the fleet has no image nowhere');
  });
});

describe('a run', () => {
  test('shows its steps on one axis of time, and its log', async () => {
    const run = scene.data.runs.findLast(({ outcome }) => outcome === undefined)!;

    const { text } = await scene.get(`/runs/${run.id}?q=LIBSSL3`, admin);

    expect(rowsOf(text, 'Steps with their times')).toHaveLength(4);
    expect(text).toContain(`data-events="/v1/runs/${run.id}/events"`);
    expect(text).toContain('4 of 32 lines');
    expect(text).toContain('<mark>libssl3</mark>');
  });

  test('is found among others by image, outcome and day, page by page', async () => {
    const first = await scene.get('/runs?outcome=failed&image=debian', admin);
    const all = await scene.get('/runs', admin);
    const [, next = ''] = /href="(\/runs\?cursor=[^"]+)">Older/.exec(all.text)!;
    const second = await scene.get(next.replaceAll('&amp;', '&'), admin);

    expect(rowsOf(first.text, 'Runs').every((row) => row.includes('s-failed') && row.includes('/images/debian'))).toBe(
      true,
    );
    const idsOf = (text: string) => [...text.matchAll(/href="\/runs\/([0-9A-Z]{26})"/g)].map(([, id]) => id!);
    expect(idsOf(second.text)).toHaveLength(50);
    expect(idsOf(second.text).every((id) => !idsOf(all.text).includes(id))).toBe(true);
  });
});

describe('who may less', () => {
  test('sees no button that would be refused', async () => {
    const run = scene.data.runs.findLast(({ outcome }) => outcome === undefined)!;
    const pages = await Promise.all(['/', '/images/debian', `/runs/${run.id}`].map((path) => scene.get(path, viewer)));

    for (const { text } of pages) {
      const forms = [...text.matchAll(/<form method="post" action="([^"]+)"/g)].map(([, action]) => action);
      expect(forms).toEqual(['/theme', '/logout']);
      expect(text).not.toMatch(/>(Rebuild|Pause|Roll back|Cancel|quarantine)…/);
    }
  });

  test('is told so by the page that they name themselves', async () => {
    const [audit, rollback] = [await scene.get('/audit', viewer), await scene.get('/images/debian/rollback', viewer)];

    expect([audit.status, rollback.status]).toEqual([403, 403]);
    expect(rollback.text).toContain('is for admins');
  });

  test('of some images sees these alone, in the picture as well', async () => {
    const limited = await scene.signIn('viewer', ['py*']);

    const { text } = await scene.get('/', limited);
    const other = await scene.get('/images/debian', limited);

    expect(
      rowsOf(text, 'Images')
        .map((row) => /\/images\/([^"]+)/.exec(row)![1])
        .sort(),
    ).toEqual(['python', 'python-build']);
    expect(text).not.toContain('href="/images/nginx"');
    expect(other.status).toBe(403);
  });
});
