/** All talk with the server. Nothing else in the app knows an address or a header. */

import { meKnown, reach } from './connection';
import { language } from './i18n';

export interface Me {
  organisation: string | null;
  organisation_name?: string;
  tiers: (string | { id: string; title?: string; title_ja?: string })[];
  role: string | null;
  anonymous: boolean;
  collections: string[];
  can_contribute: boolean;
  can_edit: boolean;
  contributable?: { id: string; title: string; title_ja: string }[];
  emergencies?: Emergency[];
  person?: Person | null;
  csrf_token?: string;
}

/** Somebody of an organisation. */
export interface Person {
  id: string;
  name: string;
  email: string | null;
  department: string | null;
  department_name?: string | null;
  roles: string[];
  state: 'active' | 'disabled';
}

/** An emergency that is on; `held` says whether this key sees more for it. */
export interface Emergency {
  id: string;
  title: string;
  title_ja: string;
  reason: string;
  reason_ja: string;
  area: string | { type: string; coordinates: unknown };
  until: string;
  held: boolean;
}

export interface Collection {
  id: string;
  title: string;
  title_ja: string;
  description?: string;
  kind: 'vector' | 'raster' | 'cube' | 'catalogue';
  geometry?: string;
  label?: string;
  extent?: { spatial?: { bbox?: number[][] }; temporal?: { interval?: (string | null)[][] } };
}

export interface PropertySchema {
  type?: string | string[];
  format?: string;
  title?: string;
  'x-title-ja'?: string;
  'x-ogc-unit'?: string;
  'x-ogc-role'?: string;
  'x-geoshare-reference'?: string;
  description?: string;
  enum?: unknown[];
}

export interface Schema {
  title?: string;
  'x-title-ja'?: string;
  'x-geoshare-label'?: string;
  properties: Record<string, PropertySchema>;
}

export interface RasterLegendEntry {
  value: number | string;
  colour: string;
  label: string;
  label_ja?: string;
}

export interface RasterInfo {
  tiles: string[];
  times?: string[];
  legend?: RasterLegendEntry[];
  styles?: (string | { name: string; title?: string; title_ja?: string })[];
  bounds?: number[];
  minzoom?: number;
  maxzoom?: number;
  attribution?: string;
}

export interface Place {
  id: string;
  collection: string;
  name: string;
  name_en?: string | null;
  /** It is not real: said before its name. */
  drill?: 'drill' | 'test';
  lon_lat: [number, number];
  bbox?: [number, number, number, number] | null;
}

/** Which claims there are on a feature, and what was taken from which. */
export interface Why {
  summary: { ja: string; en: string };
  claims: { claim: number; provider?: string; accuracy_m: number | null; observed_at: string | null; received_at: string }[];
  geometry: Reason | null;
  properties: Record<string, Reason & { value: unknown }>;
}

export interface Reason {
  claim: number;
  reason: string;
  explanation: { ja: string; en: string };
}

export interface Feature {
  type: 'Feature';
  id?: string | number;
  geometry: GeoJSON.Geometry | null;
  properties: Record<string, unknown> | null;
}

export interface ItemsPage {
  type: 'FeatureCollection';
  features: Feature[];
  numberMatched?: number;
}

export interface Message { code: string; en: string; ja: string }

export interface Report {
  file?: string;
  format?: string;
  mapping?: string;
  datum?: { horizontal?: string | null; epoch?: number | null; vertical?: string | null; source?: string };
  rows_read?: number;
  taken?: Record<string, number>;
  withdrawn?: Record<string, number>;
  repairs?: { message: Message; count: number; examples?: string[] }[] | Record<string, { message: Message; count: number; examples?: string[] }>;
  refusals?: { row: number | string; message: Message }[];
  refused?: number;
  notes?: Message[];
  layers?: string[];
  columns?: Record<string, string | null>;
  findings?: Finding[];
  found?: Partial<Record<Finding['severity'], number>>;
}

/** What a check found: which rule, how grave, where, and in words. */
export interface Finding {
  rule: string;
  severity: 'error' | 'warning' | 'info';
  feature: string;
  en: string;
  ja: string;
  lon_lat?: [number, number] | null;
}

export interface Contribution {
  id: string;
  status: 'received' | 'reading' | 'publishing' | 'done' | 'refused' | 'checked';
  href?: string;
  progress?: number;
  report?: Report | null;
  file?: string;
  refused_href?: string;
  message?: string;
  message_ja?: string;
  error?: { code?: string; message?: string; message_ja?: string; allowed?: string; allowed_ja?: string } | null;
}

export interface Preview {
  format: string;
  encoding?: string | null;
  profile?: string | null;
  collection?: string | null;
  columns: { name: string; property: string | null; sample: unknown[] }[];
  properties: (string | { name: string; title?: string; title_ja?: string })[];
  geojson?: GeoJSON.FeatureCollection | null;
  report?: Report | null;
}

export interface Settings { background: { tiles: string; attribution: string } | null; login?: string | null }

/** What the server said instead of an answer. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly title: string,
    readonly detail: string,
    readonly parameter = '',
    readonly allowed = '',
    readonly body: Record<string, unknown> = {},
  ) {
    super(detail || title);
  }
}

const KEY = 'geoshare.key';

export const credentials = {
  get(): string {
    return sessionStorage.getItem(KEY) ?? '';
  },
  set(value: string): void {
    if (value) sessionStorage.setItem(KEY, value);
    else sessionStorage.removeItem(KEY);
  },
};

/** What shows the server that one of its own pages asks, for somebody who is logged in. */
let proof = '';

/** The token of the login whose page this is; empty for everybody else. */
export const loginToken = (): string => (credentials.get() ? '' : proof);

function headers(extra: Record<string, string> = {}): Record<string, string> {
  const value = credentials.get();
  if (value) return { ...extra, 'X-API-Key': value };
  return proof ? { ...extra, 'X-CSRF-Token': proof } : extra;
}

/** For MapLibre: the key goes with requests to this server and to no other. */
export function transformRequest(url: string): { url: string; headers?: Record<string, string> } {
  const absolute = new URL(url, location.href);
  if (absolute.origin !== location.origin || absolute.pathname.startsWith('/map/assets/')) {
    return { url };
  }
  return { url: absolute.href, headers: headers() };
}

async function refused(response: Response): Promise<ApiError> {
  const body = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  const text = (name: string) => (typeof body[name] === 'string' ? (body[name] as string) : '');
  const spoken = (name: string) => (language() === 'ja' && text(`${name}_ja`)) || text(name);
  return new ApiError(
    response.status, spoken('title') || response.statusText, spoken('detail'), text('parameter'), spoken('allowed'), body,
  );
}

/** An answer as it comes; raises ApiError for a refusal. */
export async function ask(path: string, init: RequestInit = {}): Promise<Response> {
  const given = (init.headers ?? {}) as Record<string, string>;
  const response = await reach(path, { ...init, headers: headers(given) });
  if (!response.ok) throw await refused(response);
  return response;
}

/** Asks for a change, as JSON; undefined where the answer has no body. */
export async function send<T>(
  method: string, path: string, body?: unknown, extra: Record<string, string> = {},
): Promise<T> {
  const file = body instanceof Blob;
  const response = await ask(path, {
    method,
    headers: body === undefined ? extra : { 'Content-Type': file ? body.type : 'application/json', ...extra },
    body: body === undefined ? null : file ? body : JSON.stringify(body),
  });
  return (response.status === 204 ? undefined : await response.json()) as T;
}

const PATIENCE = 4;

/** JSON of a GET. What the server is still preparing (503 with Retry-After) is asked for again. */
export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    const response = await reach(path, { headers: headers({ Accept: 'application/json' }), signal: signal ?? null });
    if (response.ok) return (await response.json()) as T;
    const wait = Number(response.headers.get('Retry-After'));
    if (response.status !== 503 || !wait || attempt >= PATIENCE) throw await refused(response);
    await new Promise((resolve) => setTimeout(resolve, Math.min(wait, 5) * 1000));
  }
}

const part = encodeURIComponent;

export const api = {
  me: async (): Promise<Me> => {
    const me = await get<Me>('/me');
    proof = me.csrf_token ?? '';
    meKnown.emit(me);
    return me;
  },
  emergencies: async () => (await get<{ emergencies: Emergency[] }>('/emergency')).emergencies,
  settings: () => get<Settings>('/map/settings.json'),
  /** Of features and rasters; the catalogue among them is not drawn. */
  collections: async () => {
    const { collections } = await get<{ collections: (Collection | { kind: 'catalogue' })[] }>('/collections');
    return collections.filter((one): one is Collection => one.kind !== 'catalogue');
  },
  schema: (collection: string) => get<Schema>(`/collections/${part(collection)}/schema`),
  item: (collection: string, id: string, signal?: AbortSignal) =>
    get<Feature>(`/collections/${part(collection)}/items/${part(id)}`, signal),
  why: (collection: string, id: string) => get<Why>(`/collections/${part(collection)}/items/${part(id)}/explain`),
  items: (collection: string, query: Record<string, string>, signal?: AbortSignal) =>
    get<ItemsPage>(`/collections/${part(collection)}/items?${new URLSearchParams(query)}`, signal),
  raster: (collection: string) => get<RasterInfo>(`/raster/${part(collection)}.json`),
  search: async (text: string, signal?: AbortSignal) =>
    (await get<{ results: Place[] }>(`/search?${new URLSearchParams({ q: text, limit: '10' })}`, signal)).results,
  tileInfo: (collections: string[]) =>
    get<{ minzoom?: number; maxzoom?: number }>(`/tiles/${collections.map(part).join(',')}.json`),
  tileAddress: (collections: string[]) =>
    `${location.origin}/tiles/${collections.map(part).join(',')}/{z}/{x}/{y}.mvt`,
  tilePath: (collections: string[], z: number, x: number, y: number) => `/tiles/${collections.map(part).join(',')}/${z}/${x}/${y}.mvt`,
  tile: async (collections: string[], z: number, x: number, y: number): Promise<void> => {
    await ask(api.tilePath(collections, z, x, y));
  },
  rasterAddress: (collection: string, time: string | null, style: string | null, format: string) => {
    const query = new URLSearchParams();
    if (time) query.set('datetime', time);
    if (style) query.set('style', style);
    const tail = query.size ? `?${query}` : '';
    return `${location.origin}/raster/${part(collection)}/{z}/{x}/{y}.${format}${tail}`;
  },
  refusing: async () => (await get<{ refuse_on: Refusing }>('/contributions/rules')).refuse_on,
  contribution: (id: string) => get<Contribution>(`/contributions/${part(id)}`),
};

export interface UploadOptions {
  provider?: string;
  collection?: string;
  mapping?: string;
  crs?: string;
  check_only?: string;
  refuse_on?: Refusing | '';
  complete?: string;
  remove_most?: string;
}

/** Findings as grave as this, or graver, refuse a file. */
export type Refusing = 'error' | 'warning' | 'info' | 'none';

function query(options: UploadOptions): string {
  const given = Object.entries(options).filter(([, value]) => value) as [string, string][];
  return given.length ? `?${new URLSearchParams(given)}` : '';
}

function fileHeaders(file: File): Record<string, string> {
  return {
    'Content-Type': 'application/octet-stream',
    'Content-Disposition': `attachment; filename*=UTF-8''${encodeURIComponent(file.name)}`,
  };
}

/** Reads the head of a file on the server and says what it looks like; nothing is kept. */
export async function preview(file: File, options: UploadOptions): Promise<Preview> {
  const response = await ask(`/contributions/preview${query(options)}`, {
    method: 'POST', headers: fileHeaders(file), body: file,
  });
  return (await response.json()) as Preview;
}

const RESUMABLE_FROM = 8_000_000;
const CHUNK = 4_000_000;

/** Sends a file; above 8 MB in resumable pieces (tus 1.0). `progress` goes from 0 to 1. */
export async function contribute(
  file: File, options: UploadOptions, progress: (share: number) => void,
): Promise<Contribution> {
  if (file.size > RESUMABLE_FROM) return await contributeInPieces(file, options, progress);
  const response = await ask(`/contributions${query(options)}`, {
    method: 'POST', headers: fileHeaders(file), body: file,
  });
  progress(1);
  return (await response.json()) as Contribution;
}

const TUS = { 'Tus-Resumable': '1.0.0' };

function metadata(file: File, options: UploadOptions): string {
  const values: [string, string][] = [['filename', file.name]];
  for (const [name, value] of Object.entries(options)) if (value) values.push([name, value as string]);
  const encode = (text: string) =>
    btoa(String.fromCharCode(...new TextEncoder().encode(text)));
  return values.map(([name, value]) => `${name} ${encode(value)}`).join(',');
}

async function contributeInPieces(
  file: File, options: UploadOptions, progress: (share: number) => void,
): Promise<Contribution> {
  const memory = `geoshare.upload.${file.name}.${file.size}.${file.lastModified}.${query(options)}`;
  let address = sessionStorage.getItem(memory) ?? '';
  let offset = address ? await offsetOf(address) : -1;
  if (offset < 0) {
    const created = await ask(`/contributions/uploads${query(options)}`, {
      method: 'POST',
      headers: { ...TUS, 'Upload-Length': String(file.size), 'Upload-Metadata': metadata(file, options) },
    });
    address = new URL(created.headers.get('Location') ?? '', new URL('/contributions/uploads', location.href)).href;
    sessionStorage.setItem(memory, address);
    offset = 0;
  }
  let answer: Response | null = null;
  let failures = 0;
  while (offset < file.size) {
    try {
      answer = await ask(address, {
        method: 'PATCH',
        headers: { ...TUS, 'Upload-Offset': String(offset), 'Content-Type': 'application/offset+octet-stream' },
        body: file.slice(offset, offset + CHUNK),
      });
      offset = Number(answer.headers.get('Upload-Offset') ?? Math.min(offset + CHUNK, file.size));
      failures = 0;
    } catch (error) {
      // A refusal is final; a lost line is tried again from where the server stands.
      if (error instanceof ApiError && error.status < 500 && error.status !== 409) throw error;
      failures += 1;
      if (failures > 5) throw error;
      await new Promise((resolve) => setTimeout(resolve, 500 * 2 ** failures));
      offset = Math.max(await offsetOf(address), 0);
    }
    progress(offset / file.size);
  }
  sessionStorage.removeItem(memory);
  const body = (await answer?.json().catch(() => null)) as Contribution | null;
  if (body?.id) return body;
  const id = answer?.headers.get('X-Contribution-Id') ?? address.split('/').pop() ?? '';
  return await api.contribution(id);
}

async function offsetOf(address: string): Promise<number> {
  try {
    const response = await ask(address, { method: 'HEAD', headers: TUS });
    return Number(response.headers.get('Upload-Offset') ?? -1);
  } catch {
    return -1;
  }
}

/** A file as an address that the page can show. Fetched with the key, which a plain address would not carry. */
export async function fileAddress(path: string): Promise<string> {
  return URL.createObjectURL(await (await ask(path)).blob());
}

/** Hands a file to the browser. */
export async function save(path: string, name: string): Promise<void> {
  handOver(await (await ask(path)).blob(), name);
}

/** Hands a file that is here already to the browser. */
export function handOver(file: Blob, name: string): void {
  const address = URL.createObjectURL(file);
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

/** Hands the browser a file that is the answer to a question of several members. */
export async function saveAnswer(path: string, body: unknown, name: string): Promise<void> {
  const answer = await ask(path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
  handOver(await answer.blob(), name);
}

/** The refused rows of a contribution. */
export const saveRefused = (id: string): Promise<void> =>
  save(`/contributions/${part(id)}/refused.xlsx`, `refused-${id}.xlsx`);

/** One feature as GeoJSON. */
export const saveItem = (collection: string, id: string): Promise<void> =>
  save(`/collections/${part(collection)}/items/${part(id)}`, `${collection}-${id}.geojson`);
