/** What the desk writes: sent at once where that can be, else kept in the outbox; the desk shows it either way. */

import { ApiError } from '../shared/api';
import { connection } from '../shared/connection';
import { t } from '../shared/i18n';
import { notice } from '../shared/notice';
import type { Done, Editable, Item, Said } from '../desk/talk';
import { talk } from '../desk/talk';
import { isForLater, Outbox, PHOTO_BYTES, type Kind } from './outbox';
import { NEW, type Stand } from './store';

export const outbox = new Outbox();

const PHOTO_TYPES = ['image/jpeg', 'image/png', 'image/webp'];
/** What has a time of its own, which is the officer's and not that of the sending. */
const STATE = ['status', 'people_count', 'household_count', 'care_count', 'pet_count', 'litres_left'];

/** The number of the edit that makes a feature, of one that the list shows before it is made. */
const seqOf = (item: Item): number | null => (item.id.startsWith(NEW) ? Number(item.id.slice(NEW.length)) : null);

/** Changes a feature. Null: the change waits. */
export async function change(about: Editable, item: Item, said: Said, name: string): Promise<Done | null> {
  const seq = seqOf(item);
  if (seq !== null) {
    await amend(about, seq, 'change', said, name);
    return null;
  }
  return await write(about, 'change', item, said, name, (key) => talk.change(about.id, item.id, item.version, said, key));
}

/** Says more of an edit that waits, or of one that was sent meanwhile. */
export async function amend(about: Editable, seq: number, kind: 'change' | 'withdraw', whole: Said, name: string): Promise<void> {
  const { said, photo } = apart(whole);
  const at = said.edit?.at ?? new Date().toISOString();
  const { properties, edit = {} } = stamped(about, said, at);
  if (!await outbox.amend(seq, { kind, properties, edit: { ...edit, at }, photo, at, name })) throw new ApiError(404, '', t('waitingGone'));
}

/** Makes a feature. Null: it waits. */
export async function create(about: Editable, said: Said, name: string): Promise<Done | null> {
  return await write(about, 'create', null, said, name, (key) => talk.create(about.id, said, key));
}

/** Withdraws a feature. Null: that waits, or what waited is gone. */
export async function withdraw(about: Editable, item: Item, name: string): Promise<Done | null> {
  const seq = seqOf(item);
  const said = { properties: {} };
  if (seq !== null) {
    const row = outbox.rows.find((one) => one.seq === seq);
    // What the server may have been told already is withdrawn there, too.
    if (!row || row.tried || !await outbox.remove(row)) await amend(about, seq, 'withdraw', said, name);
    return null;
  }
  return await write(about, 'withdraw', item, said, name, (key) => talk.withdraw(about.id, item.id, item.version, key));
}

/** Sends a photo and gives its name; null where it is to be sent later, which is said. */
export async function sendPhoto(file: File): Promise<string | null> {
  if (file.size > PHOTO_BYTES || !PHOTO_TYPES.includes(file.type)) throw new ApiError(400, '', t('photoLarge'));
  try {
    const { photo } = await talk.photo(file);
    notice(t('deskPhotoSent'));
    return photo;
  } catch (error) {
    if (!isForLater(error)) throw error;
    notice(t('photoKept'));
    return null;
  }
}

async function write(
  about: Editable, kind: Kind, item: Item | null, whole: Said, name: string, send: (key: string) => Promise<Done>,
): Promise<Done | null> {
  const key = crypto.randomUUID();
  const { said, photo } = apart(whole);
  let tried = false;
  if (connection.live && !photo && !(item && outbox.holds(about.id, item.id))) {
    try {
      return await send(key);
    } catch (error) {
      // The answer may be lost and the edit made: under the same key it is not made again.
      if (!isForLater(error)) throw error;
      tried = true;
    }
  }
  const at = said.edit?.at ?? new Date().toISOString();
  await outbox.add({
    kind, collection: about.id, id: item?.id ?? '', version: item?.version ?? '', said: stamped(about, said, at), key, at, name, photo, tried,
  });
  return null;
}

/** A photo that could not be sent yet stands in what is said as a file: it is sent first, and then named. */
function apart(said: Said): { said: Said; photo: Blob | null } {
  const { photo, ...properties } = said.properties;
  return photo instanceof Blob ? { said: { ...said, properties }, photo } : { said, photo: null };
}

function stamped(about: Editable, said: Said, at: string): Said {
  if (!about.properties.status_updated_at || !STATE.some((name) => name in said.properties)) return said;
  return { ...said, properties: { status_updated_at: at, ...said.properties } };
}

/** A list as it is with what waits. */
export function withWaiting(about: Editable, items: Item[]): Item[] {
  const rows = outbox.shutOut ? [] : outbox.rows.filter((row) => row.collection === about.id);
  if (!rows.length) return items;
  const made = rows.filter((row) => row.kind === 'create').map((row): Item => ({
    id: `${NEW}${row.seq}`, geometry: row.said.geometry ?? null, properties: row.said.properties, version: '', own: {}, set: null, waiting: row.stand,
  }));
  return [...items, ...made].map((item) => rows.filter((row) => row.id === item.id).reduce<Item>((before, row) => {
    const waiting = worse(before.waiting, row.stand);
    // What somebody has to look at is not so, and may never be: the server's values stay in sight.
    if (STUCK.includes(waiting)) return { ...item, waiting };
    return { ...before, waiting, geometry: row.said.geometry ?? before.geometry, properties: { ...before.properties, ...row.said.properties } };
  }, item));
}

const STUCK: Stand[] = ['conflict', 'refused'];
const URGENT: Stand[] = ['waiting', 'sending', 'conflict', 'refused'];

/** Of several edits of a feature, what its person has to know first. */
const worse = (one: Stand | undefined, other: Stand): Stand => (one && URGENT.indexOf(one) > URGENT.indexOf(other) ? one : other);
