/**
 * The service worker: the app's own files, and the last answers, for when there is no network.
 *
 * What the network says always comes first. Answers to a key or to a signed link are never kept, answers that
 * forbid it (`no-store`) neither, and what a login was told lies in a cache of that login alone. The server
 * refuses a request that carries the token of another login, so an answer is always that of the token's login.
 */

import { APP_PAGES, ASSETS, forgetSessions, isData, isLive, KEPT_AT, KEPT_DAYS, OPEN, PAGES, SESSIONS, sessionCache } from './kept';

declare const self: ServiceWorkerGlobalScope;
/** Said by the build: the files of the app, and a hash of them. */
declare const __SHELL__: string[];
declare const __VERSION__: string;

const PATIENCE_MS = 5000;
const MOST = 5000;
const LOOK_EVERY = 250;
const pages = PAGES + __VERSION__;
let puts = 0;

self.addEventListener('install', (event) => event.waitUntil(install()));
self.addEventListener('activate', (event) => event.waitUntil(activate()));
self.addEventListener('message', (event) => { if (event.data === 'take-over') void self.skipWaiting(); });
self.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== self.location.origin) return;
  if (url.pathname.startsWith('/s/')) return; // what is shared is the server's to show or to refuse, each time
  if (request.mode === 'navigate') {
    if (APP_PAGES.includes(url.pathname)) event.respondWith(page(request, url.pathname));
  } else if (url.pathname.startsWith('/map/assets/') || url.pathname === '/map/icon.svg') {
    event.respondWith(asset(request));
  } else if (isData(url.pathname) && !isKeyed(request, url)) {
    event.respondWith(data(event, url));
  }
});

const isKeyed = (request: Request, url: URL) =>
  request.headers.has('X-API-Key') || request.headers.has('Authorization') || url.searchParams.has('sig');

async function install(): Promise<void> {
  const fresh = { cache: 'reload' } as const;
  await (await caches.open(pages)).addAll(APP_PAGES.map((path) => new Request(path, { ...fresh, credentials: 'omit' })));
  const assets = await caches.open(ASSETS);
  const known = new Set((await assets.keys()).map(({ url }) => new URL(url).pathname));
  await assets.addAll(__SHELL__.filter((path) => !known.has(path)));
}

/** A new version is in charge: what only the one before it used goes. */
async function activate(): Promise<void> {
  for (const name of await caches.keys()) if (name.startsWith(PAGES) && name !== pages) await caches.delete(name);
  const assets = await caches.open(ASSETS);
  for (const request of await assets.keys()) {
    const { pathname } = new URL(request.url);
    if (!pathname.endsWith('.woff2') && !__SHELL__.includes(pathname)) await assets.delete(request);
  }
  await self.clients.claim();
}

/** The page as the server has it now; without one, as it came with this version. */
async function page(request: Request, path: string): Promise<Response> {
  const kept = () => caches.open(pages).then((cache) => cache.match(path));
  return await first(fetch(request), kept) ?? Response.error();
}

async function asset(request: Request): Promise<Response> {
  const cache = await caches.open(ASSETS);
  const known = await cache.match(request, { ignoreVary: true });
  if (known) return known;
  const answer = await fetch(request);
  if (answer.ok) await cache.put(request, answer.clone()).catch(full);
  return answer;
}

async function data(event: FetchEvent, url: URL): Promise<Response> {
  const { request } = event;
  const token = request.headers.get('X-CSRF-Token');
  const asked = fetch(request).then(async (answer) => {
    const kept = keep(request, url, token, answer.clone()).catch(full);
    event.waitUntil(kept);
    // What is asked next is kept under the login that this tells of.
    if (url.pathname === '/me') await kept;
    return answer;
  });
  return await first(asked, () => recall(request, url, token)) ?? Response.error();
}

/** The network's answer; what is kept where it fails, or takes long and something is kept. */
async function first(asked: Promise<Response>, kept: () => Promise<Response | undefined>): Promise<Response | undefined> {
  const answer = asked.catch(() => undefined);
  const late = new Promise<'late'>((resolve) => setTimeout(() => resolve('late'), PATIENCE_MS));
  const found = await Promise.race([answer, late]);
  if (found instanceof Response && ![502, 504].includes(found.status)) return found;
  return await kept() ?? await answer;
}

async function keep(request: Request, url: URL, token: string | null, answer: Response): Promise<void> {
  if (url.pathname === '/me') await noteLogin(answer);
  const rules = answer.headers.get('Cache-Control') ?? '';
  if (answer.status !== 200 && answer.status !== 204 || rules.includes('no-store')) return;
  const name = await placeOf(url, token, rules, answer);
  // A login that is over meanwhile has no cache any more, and gets none again.
  if (!name || (name !== OPEN && !(await caches.has(name)))) return;
  const headers = new Headers(answer.headers);
  headers.set(KEPT_AT, new Date().toISOString());
  for (const wire of ['Content-Encoding', 'Content-Length']) headers.delete(wire);
  const body = answer.status === 204 ? null : await answer.blob();
  const cache = await caches.open(name);
  await cache.put(request, new Response(body, { status: answer.status, headers }));
  puts += 1;
  if (puts % LOOK_EVERY === 0) {
    const all = await cache.keys();
    for (const old of all.slice(0, Math.max(0, all.length - MOST))) await cache.delete(old);
  }
}

/** Where an answer may be kept: what everybody may see in one place, a login's in its own, else nowhere. */
async function placeOf(url: URL, token: string | null, rules: string, answer: Response): Promise<string | null> {
  if (rules.includes('public')) return OPEN;
  if (url.pathname !== '/me') return token ? await sessionCache(token) : null;
  const { csrf_token: told } = await answer.clone().json() as { csrf_token?: string };
  return told ? await sessionCache(told) : null;
}

/** Who is logged in now is the only one of whom anything is kept. */
async function noteLogin(answer: Response): Promise<void> {
  if (answer.status === 401) await forgetSessions();
  if (answer.status !== 200) return;
  const { csrf_token: told } = await answer.clone().json() as { csrf_token?: string };
  const name = told ? await sessionCache(told) : '';
  await forgetSessions(name);
  if (name) await caches.open(name);
}

/** What is kept of an address. A page that has just begun has no token yet: the one login's is meant. */
async function recall(request: Request, url: URL, token: string | null): Promise<Response | undefined> {
  const sessions = token ? [await sessionCache(token)] : (await caches.keys()).filter((name) => name.startsWith(SESSIONS));
  for (const name of [...sessions, OPEN]) {
    if (!(await caches.has(name))) continue;
    const cache = await caches.open(name);
    const found = await cache.match(request, { ignoreVary: true });
    if (!found) continue;
    const at = found.headers.get(KEPT_AT) ?? '';
    if (Date.now() - Date.parse(at) > KEPT_DAYS * 86_400_000) await cache.delete(request, { ignoreVary: true });
    else {
      if (isLive(url.pathname)) await tell({ keptAt: at });
      return found;
    }
  }
  return undefined;
}

async function tell(what: { keptAt: string } | { full: true }): Promise<void> {
  for (const client of await self.clients.matchAll({ type: 'window' })) client.postMessage(what);
}

/** Keeping failed; where the device has no room, the pages say so. */
async function full(error: unknown): Promise<void> {
  if (error instanceof DOMException && error.name === 'QuotaExceededError') await tell({ full: true });
}
