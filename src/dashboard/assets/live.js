// Keeps a page as it would be after a reload: parts that are marked are fetched again when something happened.
// Everything works without this script; it adds no state of its own.
const GAP_MS = 1500;
const SLOW_MS = 30_000;

const main = document.querySelector('main');
const status = document.getElementById('live-status');
let last = 0;
let waiting;
let source;

function soon() {
  waiting ??= setTimeout(refresh, Math.max(150, last + GAP_MS - Date.now()));
}

async function refresh(url = location.href) {
  clearTimeout(waiting);
  waiting = undefined;
  last = Date.now();
  const answer = await fetch(url, { headers: { accept: 'text/html' } }).catch(() => undefined);
  if (answer === undefined || answer.redirected) return answer && location.reload(); // signed out
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
  for (const part of document.querySelectorAll('[data-live]')) {
    const now = page.getElementById(part.id);
    if (now !== null) swap(part, now);
  }
  document.title = page.title;
}

/** Where a person is in it stays as it is: what has the focus, what is open, how far it is scrolled. */
function swap(part, now) {
  if (part.innerHTML === now.innerHTML) return;
  const active = document.activeElement;
  if (part.contains(active) && active.matches('input, select, textarea')) return;
  const focused = part.contains(active) ? active.getAttribute('href') : null;
  const open = [...part.querySelectorAll('details[open][id]')].map(({ id }) => id);
  const scrolls = [...part.querySelectorAll('[data-scroll]')].map((each) => [
    each.id,
    each.scrollTop,
    each.scrollLeft,
    each.scrollTop + each.clientHeight >= each.scrollHeight - 8,
  ]);
  part.replaceChildren(...now.childNodes);
  for (const id of open) document.getElementById(id)?.setAttribute('open', '');
  for (const [id, top, left, atEnd] of scrolls) {
    const each = document.getElementById(id);
    if (each === null) continue;
    each.scrollTop = atEnd && each.dataset.scroll === 'end' ? each.scrollHeight : top;
    each.scrollLeft = left;
  }
  if (focused !== null)
    [...part.querySelectorAll('a[href]')].find((each) => each.getAttribute('href') === focused)?.focus();
}

function listen() {
  const { events } = document.body.dataset;
  if (!events || source !== undefined) return;
  source = new EventSource(events);
  const types = 'run.requested run.started run.step run.ended image.changed fleet.loaded fleet.refused plan.made run';
  for (const type of types.split(' ')) source.addEventListener(type, soon);
  source.addEventListener('open', () => say('live'));
  source.addEventListener('error', () => {
    if (source?.readyState === EventSource.CLOSED) {
      say('');
      soon();
    } else say('reconnecting');
  });
}

function say(text) {
  if (status !== null && status.textContent !== text) status.textContent = text;
}

// A page that nobody looks at holds no connection
document.addEventListener('visibilitychange', () => {
  if (document.hidden) {
    source?.close();
    source = undefined;
  } else {
    soon();
    listen();
  }
});

// Searching as one types; without the script, by Enter
let typed;
for (const form of document.querySelectorAll('form[data-filter]')) {
  const go = () => {
    const query = new URLSearchParams([...new FormData(form)].filter(([, value]) => value !== ''));
    const url = `${location.pathname}${query.size > 0 ? `?${query}` : ''}`;
    history.replaceState(null, '', url);
    refresh(url);
  };
  form.addEventListener('input', () => {
    clearTimeout(typed);
    typed = setTimeout(go, 200);
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    go();
  });
}

// `/` goes to the search, as in many tools
document.addEventListener('keydown', (event) => {
  if (event.key !== '/' || event.target.matches('input, select, textarea')) return;
  const search = main.querySelector('input[type="search"]');
  if (search === null) return;
  event.preventDefault();
  search.focus();
});

for (const log of document.querySelectorAll('[data-scroll="end"]')) log.scrollTop = log.scrollHeight;
const slow = Number(document.body.dataset.every ?? 0);
if (slow > 0) setInterval(() => document.hidden || refresh(), Math.max(slow, 1000));
else setInterval(() => document.hidden || soon(), SLOW_MS);
listen();
