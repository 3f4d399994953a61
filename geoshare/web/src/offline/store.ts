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
  stale: StaleFeature | null;
  problem: string;
}

export type NewWaiting = Omit<Waiting, 'seq'>;

const NAME = 'geoshare-desk';
const EDITS = 'edits';
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
  add: async (row: NewWaiting): Promise<number> => await within<number>('readwrite', (edits, give) => {
    const asked = edits.add(row);
    asked.onsuccess = () => give(Number(asked.result));
  }) ?? 0,

  /** A person's edits in the order in which they were made. */
  of: async (owner: string): Promise<Waiting[]> => await within<Waiting[]>('readonly', (edits, give) => {
    const asked = edits.index('owner').getAll(owner);
    asked.onsuccess = () => give((asked.result as Waiting[]).sort((a, b) => a.seq - b.seq));
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

  remove: (seq: number, from: readonly Stand[]): Promise<boolean | undefined> => within<boolean>('readwrite', (edits, give) => {
    const asked = edits.get(seq);
    asked.onsuccess = () => {
      const row = asked.result as Waiting | undefined;
      if (!row || !from.includes(row.stand)) return;
      edits.delete(seq);
      give(true);
    };
  }),

  /** An edit is in the record: it goes, and later ones that were made on top of it rest on its version. */
  done: (row: Waiting, version: string): Promise<void | undefined> => within<void>('readwrite', (edits) => {
    edits.delete(row.seq);
    const asked = edits.index('owner').getAll(row.owner);
    asked.onsuccess = () => {
      for (const later of asked.result as Waiting[]) {
        if (later.seq > row.seq && later.collection === row.collection && later.id === row.id && later.version === row.version) {
          edits.put({ ...later, version });
        }
      }
    };
  }),

  removeAll: (owner: string): Promise<void | undefined> => within<void>('readwrite', (edits) => {
    const asked = edits.index('owner').getAllKeys(owner);
    asked.onsuccess = () => { for (const key of asked.result) edits.delete(key); };
  }),
};
