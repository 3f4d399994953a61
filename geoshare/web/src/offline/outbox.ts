/** Edits that could not be sent yet: kept in order, sent in order, once, as the person who made them. */

import { api, ApiError, credentials, type Me } from '../shared/api';
import { connection, connectionChanged, meKnown } from '../shared/connection';
import { Signal } from '../shared/dom';
import { say } from '../desk/say';
import { talk, type Done, type StaleFeature } from '../desk/talk';
import { fingerprint } from './kept';
import { NEW, store, type Kind, type More, type NewWaiting, type Stand, type Waiting } from './store';

/** Of one edit's photo, and of all that wait together, in bytes. */
export const PHOTO_BYTES = 12_000_000;
const PHOTOS_BYTES = 150_000_000;
const MOST = 2000;
const LOCK = 'geoshare-send';
/** Whose edits waited last: asked to log in, where nobody is logged in. */
const LAST = 'geoshare.waiting';
const RETRY_MS = [5_000, 15_000, 60_000];
const NOT_UNDER_WAY = ['waiting', 'conflict', 'refused'] as const satisfies Stand[];

/** Too many edits wait, or too large photos: said before anything is lost. */
export class Full extends Error {
  override readonly name = 'Full';
}

export class Outbox {
  /** This person's edits that wait, in order. */
  rows: Waiting[] = [];
  owner = '';
  /** The server asks who we are: nothing is sent before somebody logs in. */
  shutOut = false;
  /** What waits has changed, here or in another tab. */
  readonly changed = new Signal<void>();
  /** An edit is in the record now. */
  readonly sent = new Signal<{ row: Waiting; done: Done }>();
  private readonly tabs = new BroadcastChannel('geoshare-outbox');
  private tries = 0;
  private waiting = 0;

  constructor() {
    this.tabs.addEventListener('message', () => void this.load());
    meKnown.on((me) => void this.know(me));
    connectionChanged.on(() => { if (connection.live) void this.send(); });
    window.addEventListener('online', () => void this.send());
    document.addEventListener('visibilitychange', () => { if (!document.hidden) void this.send(); });
  }

  /** Sends what waits, if this browser can be reached and no other tab is at it. */
  async send(): Promise<void> {
    if (!this.owner || !this.rows.some(({ stand }) => stand === 'waiting' || stand === 'sending')) return;
    clearTimeout(this.waiting);
    const again = await navigator.locks.request(LOCK, { ifAvailable: true }, async (lock) => (lock ? await this.sendAll() : false));
    this.tries = again ? this.tries + 1 : 0;
    if (again) this.waiting = window.setTimeout(() => void this.send(), RETRY_MS[Math.min(this.tries, RETRY_MS.length) - 1]);
  }

  /** Keeps an edit; raises Full, or what the browser's database says. */
  async add(row: Omit<NewWaiting, 'owner' | 'stand' | 'stale' | 'problem'>): Promise<void> {
    this.checkRoom(row.photo);
    await store.add({ ...row, owner: this.owner, stand: 'waiting', stale: null, problem: '' });
    localStorage.setItem(LAST, this.owner);
    void navigator.storage?.persist?.();
    await this.told();
    void this.send();
  }

  /** Whether an edit of this feature waits: a later one then waits behind it. */
  holds(collection: string, id: string): boolean {
    return this.rows.some((row) => row.collection === collection && row.id === id);
  }

  /** Says more of an edit that waits, or waited until now; false where it was removed meanwhile. */
  async amend(seq: number, more: More): Promise<boolean> {
    this.checkRoom(more.photo);
    const found = await store.amend(seq, more);
    await this.told();
    void this.send();
    return found === true;
  }

  /** Sends an edit again, whatever somebody else has said meanwhile, which its person has seen. */
  async insist(row: Waiting, version: string): Promise<void> {
    await store.insist(row.seq, version);
    await this.told();
    void this.send();
  }

  /** False where the edit is under way, or done. */
  async remove(row: Waiting): Promise<boolean> {
    const removed = await store.remove(row.seq, NOT_UNDER_WAY);
    await this.told();
    return removed === true;
  }

  private checkRoom(photo: Blob | null): void {
    const photos = this.rows.reduce((sum, row) => sum + (row.photo?.size ?? 0), photo?.size ?? 0);
    if (this.rows.length >= MOST || photos > PHOTOS_BYTES) throw new Full();
  }

  /** Removes all of this person's, who logs out. */
  async clear(): Promise<void> {
    if (this.owner) await store.removeAll(this.owner);
    localStorage.removeItem(LAST);
    await this.told();
  }

  private async know(me: Me): Promise<void> {
    const owner = await ownerOf(me);
    // Where a login is over, what waits stays its person's, and asks for that person.
    this.shutOut = !owner;
    this.owner = owner || (localStorage.getItem(LAST) ?? '');
    await this.load();
    if (connection.live) void this.send();
  }

  private async load(): Promise<void> {
    this.rows = this.owner ? await store.of(this.owner).catch(() => []) : [];
    this.changed.emit();
  }

  private async told(): Promise<void> {
    this.tabs.postMessage(null);
    await this.load();
  }

  /** Goes through all that waits; says whether it is to be tried again later. */
  private async sendAll(): Promise<boolean> {
    for (const row of await store.of(this.owner)) {
      // The tab that sent it is gone; the key tells whether the server has it.
      if (row.stand === 'sending') await store.change(row.seq, ['sending'], { stand: 'waiting' });
    }
    try {
      const owner = await ownerOf(await api.me());
      if (!connection.live) return true;
      if (owner !== this.owner) return false;
    } catch (error) {
      return this.giveUp(error);
    }
    for (let row = await this.next(); row; row = await this.next()) {
      const taken = await store.change(row.seq, ['waiting'], { stand: 'sending', tried: true });
      if (!taken) continue;
      await this.told();
      try {
        const done = await sendOne(taken);
        await store.done(taken, done);
        this.sent.emit({ row: taken, done });
      } catch (error) {
        const verdict = judged(error);
        await store.change(row.seq, ['sending'], verdict);
        if (verdict.stand === 'waiting' && !verdict.version) {
          await this.told();
          return this.giveUp(error);
        }
      }
      await this.told();
    }
    return false;
  }

  /** The first that can be sent: none of a feature of which an earlier one is stuck. */
  private async next(): Promise<Waiting | undefined> {
    const stuck = new Set<string>();
    for (const row of await store.of(this.owner)) {
      const place = `${row.collection}/${row.id || NEW + row.seq}`;
      if (row.stand === 'waiting' && !stuck.has(place)) return row;
      stuck.add(place);
    }
    return undefined;
  }

  private giveUp(error: unknown): boolean {
    this.shutOut = error instanceof ApiError && [401, 403].includes(error.status);
    this.changed.emit();
    return !this.shutOut;
  }
}

/** Whose edits wait: a person's, or those made under a key, of which the device keeps a hash alone. */
async function ownerOf(me: Me): Promise<string> {
  if (me.person) return `person:${me.person.id}`;
  return me.anonymous || !credentials.get() ? '' : `key:${await fingerprint(credentials.get())}`;
}

/** Raises where the browser's credentials are no longer those of who made the edit; a session shows by its token. */
async function checkOwner(row: Waiting): Promise<void> {
  const key = credentials.get();
  const own = key ? `key:${await fingerprint(key)}` === row.owner : row.owner.startsWith('person:');
  if (!own) throw new ApiError(401, '', '');
}

async function sendOne(row: Waiting): Promise<Done> {
  let { said } = row;
  await checkOwner(row);
  if (row.photo) said = { ...said, properties: { ...said.properties, photo: (await talk.photo(row.photo)).photo } };
  if (row.photo) await checkOwner(row);
  if (row.kind === 'create') return await talk.create(row.collection, said, row.key);
  if (row.kind === 'withdraw') return await talk.withdraw(row.collection, row.id, row.version, row.key);
  return await talk.change(row.collection, row.id, row.version, said, row.key);
}

/** Whether two people have said different things of a feature, neither of which the other has touched. */
export const isApart = ({ removed, differing }: StaleFeature): boolean => !removed && !differing.some(({ wanted, both }) => wanted && both);

/** What becomes of an edit that was not taken: it waits on, or asks its person. */
function judged(error: unknown): Partial<Waiting> & { stand: Stand } {
  if (isForLater(error) || !(error instanceof ApiError)) return { stand: 'waiting' };
  if (error.status === 412) {
    const stale = (error.body.features as StaleFeature[] | undefined)?.[0] ?? null;
    // Somebody else has said other things of it: both stay.
    if (stale && isApart(stale)) return { stand: 'waiting', tried: false, version: stale.version, key: crypto.randomUUID() };
    if (stale) return { stand: 'conflict', tried: false, stale };
  }
  return { stand: 'refused', tried: false, problem: say(error) };
}

/** Whether an edit can be sent later as it is: no network, no server, no login, too many at once. */
export function isForLater(error: unknown): boolean {
  if (error instanceof TypeError) return true;
  if (!(error instanceof ApiError)) return false;
  const otherLogin = error.status === 403 && /#(cross-site|other-session)$/.test(String(error.body.type));
  return otherLogin || [401, 429, 502, 503, 504].includes(error.status);
}

export type { Kind, Waiting };
