/** What is kept on the device, and under which name: shared by the pages and the service worker. */

/** Prefix of caches that belong to one login each. There is at most one: another login removes it. */
export const SESSIONS = 'geoshare-kept-';
/** What everybody may see. */
export const OPEN = 'geoshare-open';
/** Files of the app that never change, because their names carry their hash. */
export const ASSETS = 'geoshare-assets';
/** Prefix of the pages of one version of the app. */
export const PAGES = 'geoshare-pages-';

/** When an answer was kept; in the headers of an answer that comes from the device. */
export const KEPT_AT = 'X-Kept-At';
/** Nothing is shown that is older: a login that was not used for so long would be over, too. */
export const KEPT_DAYS = 7;

export const APP_PAGES = ['/desk', '/map'];

/** What changes by the minute; how old these are is what "state of 10:42" speaks of. */
const LIVE = ['shelters', 'evacuation_areas', 'events', 'water_points', 'damage_reports', 'warnings'];

/** What the pages read and can read again without a network. Streams, files and photos are not among it. */
const PATHS = [
  /^\/(me|emergency|collections)$/,
  /^\/collections\/[^/]+(\/schema|\/items(\/[^/]+)?)?$/,
  /^\/desk\/collections(\/[^/]+\/items)?$/,
  /^\/tiles\/[^/]+(\.json|\/\d+\/\d+\/\d+\.mvt)$/,
  /^\/raster\/[^/]+\.json$/,
];

export function isData(path: string): boolean {
  return PATHS.some((pattern) => pattern.test(path));
}

export function isLive(path: string): boolean {
  const [, room, first, second] = decodeURIComponent(path).split('/');
  if (room === 'desk') return second !== undefined;
  return (room === 'collections' || room === 'tiles') && LIVE.includes(first ?? '');
}

/** The cache of a login. Its name is made from what only that login's pages send, and tells nothing of it. */
export async function sessionCache(token: string): Promise<string> {
  return SESSIONS + await fingerprint(token);
}

/** Enough of a hash to tell apart, too little to tell what it was made of. */
export async function fingerprint(text: string): Promise<string> {
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return [...new Uint8Array(hash).subarray(0, 12)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Removes what was kept of every login but one, and says of how many. */
export async function forgetSessions(but = ''): Promise<number> {
  const names = (await caches.keys()).filter((name) => name.startsWith(SESSIONS) && name !== but);
  await Promise.all(names.map((name) => caches.delete(name)));
  return names.length;
}
