import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type DashboardScene, startDashboardScene } from '../support/dashboard-scene.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const PHONE = { width: 390, height: 844 };
const WIDE = { width: 1440, height: 900 };

let scene: DashboardScene;
let browser: Browser;
let cookie: string;

beforeAll(async () => {
  scene = await startDashboardScene({ images: 30, runs: 200 });
  cookie = await scene.signIn('admin');
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
});
afterAll(async () => {
  await browser?.close();
  await scene?.stop();
});

/** A tab of somebody who has signed in; what the browser complains of is kept. */
async function open(path: string, options: BrowserContextOptions = {}): Promise<{ page: Page; complaints: string[] }> {
  const context = await browser.newContext({ viewport: WIDE, reducedMotion: 'reduce', ...options });
  const [name = '', value = ''] = cookie.split('=');
  await context.addCookies([{ name, value, url: scene.server }]);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => void (message.type() === 'error' && complaints.push(message.text())));
  await page.goto(scene.server + path, { waitUntil: 'load' });
  return { page, complaints };
}

function paths(): readonly string[] {
  const { runs } = scene.data;
  const running = runs.findLast(({ outcome }) => outcome === undefined)!;
  const failed = runs.findLast(({ outcome }) => outcome === 'failed')!;
  const pages = ['/', '/runs', '/upstreams', '/downstreams', '/freshness', '/workers', '/audit'];
  return [
    ...pages,
    '/images/debian',
    '/images/debian/rollback',
    '/images/php',
    `/runs/${running.id}`,
    `/runs/${failed.id}`,
  ];
}

interface AxeWindow {
  readonly axe: {
    run(): Promise<{ violations: { id: string; impact: string; nodes: { html: string; failureSummary: string }[] }[] }>;
  };
}

/** What axe holds to be serious or critical: rule, and where. */
async function violationsOf(page: Page): Promise<readonly string[]> {
  await page.evaluate(AXE); // by the debugger: the page's own policy lets no such script in
  const { violations } = await page.evaluate(() => (globalThis as unknown as AxeWindow).axe.run());
  return violations
    .filter(({ impact }) => ['serious', 'critical'].includes(impact))
    .flatMap(({ id, nodes }) =>
      nodes.slice(0, 3).map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`),
    );
}

describe('every page', () => {
  test.each([
    ['light', WIDE],
    ['dark', WIDE],
    ['light', PHONE],
    ['dark', PHONE],
  ] as const)('can be read by everybody, %s at %o, and never wider than the screen', async (colorScheme, viewport) => {
    const found: string[] = [];
    for (const path of paths()) {
      const { page, complaints } = await open(path, { colorScheme, viewport });
      const wider = await page.evaluate<number>(
        'document.documentElement.scrollWidth - document.documentElement.clientWidth',
      );
      found.push(...(await violationsOf(page)).map((each) => `${path} ${each}`));
      if (wider > 0) found.push(`${path} is ${wider} px wider than the screen`);
      found.push(...complaints.map((each) => `${path} ${each}`));
      await page.context().close();
    }

    expect(found).toEqual([]);
  });
});

describe('with a keyboard alone', () => {
  test('one comes past the navigation, to the search, to an image and to its button', async () => {
    const { page } = await open('/');
    const focused = () => page.evaluate<string>('document.activeElement.textContent.trim()');

    await page.keyboard.press('Tab');
    expect(await focused()).toBe('Skip to content');
    await page.keyboard.press('Enter');
    expect(await page.evaluate('document.activeElement.id')).toBe('main');
    await page.keyboard.press('/');
    expect(await page.evaluate('document.activeElement.getAttribute("name")')).toBe('q');
    await page.keyboard.type('fastapi');
    await expect.poll(() => page.locator('#images tbody tr').count()).toBe(1);
    await page.getByRole('link', { name: 'fastapi', exact: true }).last().focus();
    await page.keyboard.press('Enter');
    await page.waitForURL('**/images/fastapi');
    await page.getByRole('link', { name: 'Rebuild…' }).focus();
    await page.keyboard.press('Enter');
    await page.waitForURL('**/images/fastapi/rebuild');
    await page.getByLabel('Reason (optional)').focus();
    await page.keyboard.type('to see');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/runs/*');

    expect(await page.getByRole('status').first().textContent()).toContain('A rebuild of fastapi was asked for.');
    expect(await page.locator('body').textContent()).toContain('“to see”');
    await page.context().close();
  });
});

describe('without a script', () => {
  test('search, forms and colours do the same', async () => {
    const { page } = await open('/', { javaScriptEnabled: false });

    await page.getByLabel('Search').fill('static');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/?q=static*');
    expect(await page.locator('#images tbody tr').count()).toBe(1);
    await page.getByRole('button', { name: 'Switch colours to dark' }).click();
    await page.waitForURL(`${scene.server}/`);
    expect(await page.locator('html').getAttribute('data-theme')).toBe('dark');
    await page.getByRole('link', { name: 'Pause fleet…' }).click();
    await page.getByRole('link', { name: 'Do nothing' }).click();
    await page.waitForURL(`${scene.server}/`);
    await page.context().close();
  });
});

describe('a page that is left open', () => {
  test('shows what happened without being asked, and keeps what is being typed', async () => {
    const { page, complaints } = await open('/');
    await page.locator('#live-status', { hasText: /^live$/ }).waitFor();
    await page.getByLabel('Search').fill('postgres');
    await expect.poll(() => page.locator('#images tbody tr').count()).toBe(1);
    const { plan } = scene.data;
    const entries = plan.entries.map((entry) =>
      entry.image === 'postgres' ? { ...entry, state: 'running' as const } : entry,
    );

    await scene.store.putPlan({ ...plan, entries });
    await scene.store.tell({ type: 'run.started', run: '01KB0000000000000000000001', image: 'postgres' });

    await page.locator('#images tbody tr .badge', { hasText: 'running' }).waitFor({ timeout: 10_000 });
    expect(await page.getByLabel('Search').inputValue()).toBe('postgres');
    expect(complaints).toEqual([]);
    await scene.store.putPlan(plan);
    await page.context().close();
  });
});
