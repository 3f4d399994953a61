/** The desk's talk with the server. */

import { fileAddress, get, send, type PropertySchema } from '../shared/api';

export interface Editable {
  id: string;
  title: string;
  title_ja: string;
  geometry: string[];
  required: string[];
  properties: Record<string, PropertySchema>;
  /** West, south, east, north in degrees; null where nothing limits it. */
  area: [number, number, number, number] | null;
  /** Codes of the municipalities or town blocks that it is made of; none where it has none, or the answer was kept by an older version. */
  area_codes?: string[];
}

export interface Rights { organisation: string; collections: Editable[] }

export interface Setting { at: string; department: string; person: string; source: string }

export interface Item {
  id: string;
  geometry: GeoJSON.Geometry | null;
  properties: Record<string, unknown>;
  version: string;
  own: Record<string, unknown>;
  set: Setting | null;
  /** False where it lies outside of the officer's area: it can be looked at. */
  editable?: boolean;
  /** How an edit of it that is not sent yet stands. */
  waiting?: 'waiting' | 'sending' | 'conflict' | 'refused';
}

export interface Change { property: string; before: unknown; after: unknown }

export interface Edit {
  edit: string | null;
  at: string;
  kind: string;
  department?: string;
  person?: string;
  reason?: string;
  source?: string;
  undone?: boolean;
  changes?: Change[];
  features?: { collection: string; id: string; name?: string | null; changes: Change[] }[];
}

export interface Differing { property: string; yours: unknown; wanted: boolean; theirs: unknown; both: boolean }
export interface StaleFeature { id: string; version: string; set: Edit | null; removed: boolean; differing: Differing[] }
export interface Done { edit: string | null; id: string; version: string; own: Record<string, unknown> }
export interface Sent { photo: string; suggested: { lon_lat: [number, number] | null } }
export interface Said {
  properties: Record<string, unknown>;
  geometry?: GeoJSON.Geometry;
  name?: string;
  edit?: { reason?: string; source?: string; at?: string };
}

/** What a warning suggests, and the version of it that is confirmed. */
export interface Proposal {
  proposed: { level: number; kind: string; hazard_type: string | null; name: string | null; notes: string; area_codes: string[] };
  levels: number[];
  version: string;
}
export interface Confirmed { version: string; level: number; area_codes: string[]; notes: string; reason: string }

const part = encodeURIComponent;
const items = (collection: string) => `/collections/${part(collection)}/items`;
export const listAddress = (collection: string) => `/desk${items(collection)}?limit=1000`;

export const talk = {
  rights: () => get<Rights>('/desk/collections'),
  items: async (collection: string) => {
    const found = await get<{ features: Item[]; numberMatched: number }>(listAddress(collection));
    return found;
  },
  item: (collection: string, id: string) => get<Item>(`/desk${items(collection)}/${part(id)}`),
  history: async (collection: string, id: string) =>
    (await get<{ history: Edit[] }>(`/desk${items(collection)}/${part(id)}/history`)).history,
  edits: async (limit: number) => (await get<{ edits: Edit[] }>(`/desk/edits?limit=${limit}`)).edits,
  // What is asked again under its key is done once.
  create: (collection: string, said: Said, key: string) =>
    send<Done>('POST', items(collection), { type: 'Feature', ...said }, { 'Idempotency-Key': key }),
  change: (collection: string, id: string, version: string, said: Said, key: string) =>
    send<Done>('PATCH', `${items(collection)}/${part(id)}`, said, { 'If-Match': `"${version}"`, 'Idempotency-Key': key }),
  withdraw: (collection: string, id: string, version: string, key: string) =>
    send<Done>('DELETE', `${items(collection)}/${part(id)}`, undefined, { 'If-Match': `"${version}"`, 'Idempotency-Key': key }),
  proposal: (warning: string) => get<Proposal>(`/warnings/${part(warning)}/evacuation-area`),
  follow: (warning: string, confirmed: Confirmed) => send<{ edit: string | null }>('POST', `/warnings/${part(warning)}/evacuation-area`, confirmed),
  undo: (edit: string) => send<unknown>('POST', `/desk/edits/${part(edit)}/undo`, {}),
  photoOf: (collection: string, id: string) => fileAddress(`${items(collection)}/${part(id)}/photo`),
  photo: (file: Blob) => send<Sent>('POST', '/desk/photos', file),
};
