/** Edits that wait to be sent, in the browser's database: they outlive the tab. */

import type { Said, StaleFeature } from '../desk/talk';

export type Kind = 'create' | 'change' | 'withdraw';
export type Stand = 'waiting' | 'sending' | 'conflict' | 'refused';

export interface Waiting {
  /** Order in which they are sent; given by the database. */
  seq: number;
  /** Whose edit it is: nobody else sees it or sends it. */
  owner: string;
  kind: Kind;
  collection: string;
  /** The feature; empty for one that is to be made. */
  id: string;
  /** What it rests on, as the officer had seen it. */
  version: string;
  said: Said;
  /** Under this key the server does it once, however often it is asked. */
  key: string;
  /** By the officer's own clock. */
  at: string;
  name: string;
  photo: Blob | null;
  stand: Stand;
  /** It was sent, and what the server said of it was lost: the server may have it already, in these words. */
  tried: boolean;
  stale: StaleFeature | null;
  problem: string;
}

export type NewWaiting = Omit<Waiting, 'seq'>;

/** What is left of an edit that was sent: a page may still show what was made under the number it had here. */
interface Sent { seq: number; owner: string; collection: string; from: string; sent: { id: string; version: string } }

/** What is said of an edit that was said already. */
export interface More {
  kind: 'change' | 'withdraw';
  properties: Record<string, unknown>;
  edit: NonNullable<Said['edit']>;
  photo: Blob | null;
  at: string;
  name: string;
}

const NAME = 'geoshare-desk';
const EDITS = 'edits';
/** Features that are not made yet are called this and the number of the edit that makes them. */
export const NEW = 'waiting-';
const MOST_SENT = 200;
let opened: Promise<IDBDatabase> | null = null;

function open(): Promise<IDBDatabase> {
  opened ??= new Promise((resolve, reject) => {
    const asked = indexedDB.open(NAME, 1);
    asked.onupgradeneeded = () => {
      asked.result.createObjectStore(EDITS, { keyPath: 'seq', autoIncrement: true }).createIndex('owner', 'owner');
    };
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => { opened = null; reject(asked.error as DOMException); };
  });
  return opened;
}

/** One transaction: what `work` does is done wholly or not at all. */
async function within<T>(mode: IDBTransactionMode, work: (edits: IDBObjectStore, give: (value: T) => void) => void): Promise<T | undefined> {
  const transaction = (await open()).transaction(EDITS, mode, { durability: 'strict' });
  return await new Promise((resolve, reject) => {
    let found: T | undefined;
    transaction.oncomplete = () => resolve(found);
    transaction.onabort = transaction.onerror = () => reject(transaction.error as DOMException);
    work(transaction.objectStore(EDITS), (value) => { found = value; });
  });
}

export const store = {
  /** Adds an edit; one that it was made on top of may have been sent since it was begun. */
  add: async (row: NewWaiting): Promise<void> => await within<void>('readwrite', (edits) => {
    const asked = edits.index('owner').getAll(row.owner);
    asked.onsuccess = () => {
      const sent = (asked.result as (Waiting | Sent)[]).filter((other): other is Sent => !isWaiting(other));
      const found = sent.find((other) => row.id !== '' && other.sent.id === row.id && other.from === row.version);
      edits.add(found ? { ...row, version: found.sent.version } : row);
    };
  }),

  /** A person's edits in the order in which they were made. */
  of: async (owner: string): Promise<Waiting[]> => await within<Waiting[]>('readonly', (edits, give) => {
    const asked = edits.index('owner').getAll(owner);
    asked.onsuccess = () => give((asked.result as (Waiting | Sent)[]).filter(isWaiting).sort((a, b) => a.seq - b.seq));
  }) ?? [],

  /** Changes one edit if it still stands as somebody has seen it; gives it as it is then. */
  change: (seq: number, from: readonly Stand[], values: Partial<Waiting>): Promise<Waiting | undefined> =>
    within<Waiting>('readwrite', (edits, give) => {
      const asked = edits.get(seq);
      asked.onsuccess = () => {
        const row = asked.result as Waiting | undefined;
        if (!row || !from.includes(row.stand)) return;
        const next = { ...row, ...values };
        edits.put(next);
        give(next);
      };
    }),

  /**
   * Says more of an edit: in the edit itself while the server cannot know it, else in one of its own that comes
   * after it. False where the edit was removed.
   */
  amend: (seq: number, more: More): Promise<boolean | undefined> => within<boolean>('readwrite', (edits, give) => {
    const asked = edits.get(seq);
    asked.onsuccess = () => {
      const row = asked.result as Waiting | Sent | undefined;
      give(row !== undefined);
      if (row && isWaiting(row) && row.stand !== 'sending' && !row.tried && more.kind === 'change') merge(edits, row, more);
      else if (row) edits.add(after(row, more));
    };
  }),

  /** Gives a conflict up in favour of this side: it, and what comes after it, rest on the other side's version. */
  insist: (seq: number, version: string): Promise<void | undefined> => within<void>('readwrite', (edits) => {
    const asked = edits.get(seq);
    asked.onsuccess = () => {
      const row = asked.result as Waiting | undefined;
      if (row?.stand !== 'conflict') return;
      edits.put({ ...row, version, key: crypto.randomUUID(), stand: 'waiting', tried: false, stale: null, problem: '' });
      later(edits, row, (other) => { if (other.version === row.version) edits.put({ ...other, version }); });
    };
  }),

  /** Removes an edit and, where it makes a feature, what was said of that later. */
  remove: (seq: number, from: readonly Stand[]): Promise<boolean | undefined> => within<boolean>('readwrite', (edits, give) => {
    const asked = edits.get(seq);
    asked.onsuccess = () => {
      const row = asked.result as Waiting | undefined;
      if (!row || !from.includes(row.stand)) return;
      edits.delete(seq);
      if (row.kind === 'create') later(edits, row, (other) => { edits.delete(other.seq); });
      give(true);
    };
  }),

  /** An edit is in the record: it goes, and later ones that were made on top of it rest on its version. */
  done: (row: Waiting, { id, version }: { id: string; version: string }): Promise<void | undefined> => within<void>('readwrite', (edits) => {
    edits.put({ seq: row.seq, owner: row.owner, collection: row.collection, from: row.version, sent: { id, version } } satisfies Sent);
    later(edits, row, (other) => {
      if (row.kind === 'create' || other.version === row.version) edits.put({ ...other, id, version });
    });
    const asked = edits.index('owner').getAll(row.owner);
    asked.onsuccess = () => {
      const old = (asked.result as (Waiting | Sent)[]).filter((other): other is Sent => !isWaiting(other));
      for (const other of old) {
        if (other.sent.id === id && other.sent.version === row.version) edits.put({ ...other, sent: { id, version } });
      }
      for (const { seq } of old.slice(0, Math.max(0, old.length - MOST_SENT))) edits.delete(seq);
    };
  }),

  removeAll: (owner: string): Promise<void | undefined> => within<void>('readwrite', (edits) => {
    const asked = edits.index('owner').getAllKeys(owner);
    asked.onsuccess = () => { for (const key of asked.result) edits.delete(key); };
  }),
};

const isWaiting = (row: Waiting | Sent): row is Waiting => 'stand' in row;
/** The feature that an edit is about, as those that come after it name it. */
const subject = (row: Waiting): string => row.id || NEW + row.seq;

/** Edits of the same feature that come after one. */
function later(edits: IDBObjectStore, row: Waiting, each: (other: Waiting) => void): void {
  const asked = edits.index('owner').getAll(row.owner);
  asked.onsuccess = () => {
    for (const other of (asked.result as (Waiting | Sent)[]).filter(isWaiting)) {
      if (other.seq > row.seq && other.collection === row.collection && other.id === subject(row)) each(other);
    }
  };
}

/** Under a new key: the server may have refused the old words under the old one. */
function merge(edits: IDBObjectStore, row: Waiting, { properties, edit, photo, at }: More): void {
  const said = { ...row.said, edit: { ...row.said.edit, ...given(edit) }, properties: { ...row.said.properties, ...properties } };
  edits.put({ ...row, said, at, photo: photo ?? row.photo, key: crypto.randomUUID(), stand: 'waiting', stale: null, problem: '' } satisfies Waiting);
  // What was said later of the same values is older than this.
  later(edits, row, (other) => {
    const same = Object.entries(properties).filter(([name]) => name in other.said.properties);
    if (same.length) edits.put({ ...other, said: { ...other.said, properties: { ...other.said.properties, ...Object.fromEntries(same) } } });
  });
}

function after(row: Waiting | Sent, { kind, properties, edit, photo, at, name }: More): NewWaiting {
  const rest = isWaiting(row) ? { id: subject(row), version: row.version } : row.sent;
  return {
    ...rest, kind, owner: row.owner, collection: row.collection, said: { properties, edit }, key: crypto.randomUUID(), at, name, photo,
    stand: 'waiting', tried: false, stale: null, problem: '',
  };
}

const given = (words: NonNullable<Said['edit']>) => Object.fromEntries(Object.entries(words).filter(([, text]) => text));
