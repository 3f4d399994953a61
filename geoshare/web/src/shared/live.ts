/**
 * What changes on the server while a page is open.
 *
 * The page asks for all of its collections at once, a few times a second, and says what it knows; mostly the
 * answer is that nothing has changed. The server says when to ask again. A page that nobody looks at does
 * not ask, and one that cannot reach the server asks less and less often.
 */

import { ApiError, get, type Feature } from './api';
import { Signal } from './dom';

/** What has changed in one collection; neither ids nor features where it is too much (`more`, `gone`). */
export interface Told {
  token: string;
  created?: string[];
  updated?: string[];
  deleted?: string[];
  bbox?: [number, number, number, number];
  features?: { features: Feature[] };
  more?: boolean;
  gone?: boolean;
  /** Of the list that is open at the desk: what one edits its features by. */
  desk?: Record<string, Standing>;
}

/** How a feature stands at the desk: its version, what the own people say of it, and who said it last. */
export interface Standing {
  version: string;
  own: Record<string, unknown>;
  set: { at: string; department: string; person: string; source: string } | null;
}

export interface News { collection: string; told: Told }

const FIRST_MS = 500;
const SLOWEST_MS = 30_000;
const SPARED_MS = 5_000;
const MOST = 32;
const NEVER = new Set([400, 401, 403, 404]);

/** The ids that a change names; null where it does not name them. */
export function idsOf(told: Told): string[] | null {
  return told.created && told.updated && told.deleted ? [...told.created, ...told.updated, ...told.deleted] : null;
}

/** Whether every byte is dear: who asked the browser to save data, or is on a very slow line. */
function spared(): boolean {
  const { connection } = navigator as { connection?: { saveData?: boolean; effectiveType?: string } };
  return Boolean(connection?.saveData) || /2g/.test(connection?.effectiveType ?? '');
}

export class Live {
  readonly news = new Signal<News>();
  /** Whether the server answers. */
  readonly line = new Signal<boolean>();
  private readonly tokens = new Map<string, string>();
  private timer = 0;
  private wait = FIRST_MS;
  private run = 0;
  private online = true;

  /**
   * `collections` are asked for anew with each look; `desk` names the one of them whose features are told
   * with their versions.
   */
  constructor(private readonly collections: () => string[], private readonly desk: () => string = () => '') {
    document.addEventListener('visibilitychange', () => { if (!document.hidden) this.soon(0); });
    window.addEventListener('online', () => this.soon(0));
  }

  /** Begins, or begins anew: for somebody else, who may see other things. */
  begin(): void {
    this.tokens.clear();
    this.wait = FIRST_MS;
    this.run += 1;
    this.soon(0);
  }

  private soon(ms: number): void {
    if (!this.run) return;
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.look(), ms);
  }

  private async look(): Promise<void> {
    const names = this.collections().slice(0, MOST);
    if (document.hidden || !names.length) return;
    const run = this.run += 1; // an answer that an earlier look still waits for is not taken any more
    try {
      const since = names.map((name) => this.tokens.get(name) ?? '');
      const known = since.some(Boolean) ? `&since=${since.join(',')}` : '';
      const desk = names.includes(this.desk()) ? `&desk=${this.desk()}` : '';
      const found = await get<{ next_ms: number; collections: Record<string, Told> }>(`/changes?collections=${names.join(',')}${known}${desk}`);
      if (run !== this.run) return;
      this.wait = spared() ? Math.max(found.next_ms, SPARED_MS) : found.next_ms;
      this.said(true);
      for (const [collection, told] of Object.entries(found.collections)) this.take(collection, told);
    } catch (error) {
      if (run !== this.run) return;
      if (error instanceof ApiError && NEVER.has(error.status)) this.tokens.clear();
      this.wait = Math.min(Math.max(this.wait, 1000) * 2, SLOWEST_MS);
      this.said(false);
    }
    // Screens that were opened by the same message do not all ask in the same moment.
    this.soon(this.wait * (0.9 + 0.2 * Math.random()));
  }

  private take(collection: string, told: Told): void {
    const first = !this.tokens.has(collection);
    this.tokens.set(collection, told.token);
    if (!first) this.news.emit({ collection, told });
  }

  private said(online: boolean): void {
    if (online === this.online) return;
    this.online = online;
    this.line.emit(online);
  }
}
