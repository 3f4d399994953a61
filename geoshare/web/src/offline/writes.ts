/** What the desk writes: sent at once where that can be, else kept in the outbox; the desk shows it either way. */

import { ApiError } from '../shared/api';
import { connection } from '../shared/connection';
import { t } from '../shared/i18n';
import { notice } from '../shared/notice';
import type { Done, Editable, Item, Said } from '../desk/talk';
import { talk } from '../desk/talk';
import { isForLater, Outbox, PHOTO_BYTES, type Kind, type Waiting } from './outbox';

export const outbox = new Outbox();

const PHOTO_TYPES = ['image/jpeg', 'image/png', 'image/webp'];
const NEW = 'waiting-';
/** What has a time of its own, which is the officer's and not that of the sending. */
const STATE = ['status', 'people_count', 'household_count', 'care_count', 'pet_count', 'litres_left'];

/** What was made without a network and sent since, under the id and version that the server gave it. */
const made = new Map<string, { id: string; version: string }>();
outbox.sent.on(({ row, done }) => { if (row.kind === 'create') made.set(`${NEW}${row.seq}`, { id: done.id, version: done.version }); });
const known = (item: Item): Item => ({ ...item, ...made.get(item.id) });

const rowOf = (item: Item): Waiting | undefined => outbox.rows.find(({ seq }) => `${NEW}${seq}` === item.id);

/** Changes a feature. Null: the change waits. */
export async function change(about: Editable, item: Item, said: Said, name: string): Promise<Done | null> {
  const row = rowOf(item);
  if (row) {
    const more = apart(said);
    const edit = { ...row.said.edit, ...Object.fromEntries(Object.entries(said.edit ?? {}).filter(([, words]) => words)) };
    const whole = { ...row.said, edit, properties: { ...row.said.properties, ...more.said.properties } };
    if (!await outbox.say(row, whole, row.version, more.photo ?? row.photo)) throw new Error(t('waitingSending'));
    return null;
  }
  const there = known(item);
  return await write(about, 'change', there, said, name, (key) => talk.change(about.id, there.id, there.version, said, key));
}

/** Makes a feature. Null: it waits. */
export async function create(about: Editable, said: Said, name: string): Promise<Done | null> {
  return await write(about, 'create', null, said, name, (key) => talk.create(about.id, said, key));
}

/** Withdraws a feature. Null: that waits, or what waited is gone. */
export async function withdraw(about: Editable, item: Item, name: string): Promise<Done | null> {
  const row = rowOf(item);
  if (row) {
    await outbox.remove(row);
    return null;
  }
  const said = { properties: {} };
  const there = known(item);
  return await write(about, 'withdraw', there, said, name, (key) => talk.withdraw(about.id, there.id, there.version, key));
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
  if (connection.live && !photo && !(item && outbox.holds(about.id, item.id))) {
    try {
      return await send(key);
    } catch (error) {
      // The answer may be lost and the edit made: under the same key it is not made again.
      if (!isForLater(error)) throw error;
    }
  }
  const at = said.edit?.at ?? new Date().toISOString();
  await outbox.add({
    kind, collection: about.id, id: item?.id ?? '', version: item?.version ?? '', said: stamped(about, said, at), key, at, name, photo,
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
  const changed = items.map((item) => rows.filter((row) => row.id === item.id).reduce<Item>((before, row) => ({
    ...before, waiting: row.stand, geometry: row.said.geometry ?? before.geometry, properties: { ...before.properties, ...row.said.properties },
  }), item));
  const made = rows.filter((row) => row.kind === 'create').map((row): Item => ({
    id: `${NEW}${row.seq}`, geometry: row.said.geometry ?? null, properties: row.said.properties, version: '', own: {}, set: null, waiting: row.stand,
  }));
  return [...changed, ...made];
}
