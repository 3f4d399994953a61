/** What the server says of a share; see `geoshare/services/shared.py`. */

import type { Box } from './map';

export type Row = Record<string, unknown> & { id: string; at?: [number, number]; box?: Box };
export interface Told { features: Row[]; more: boolean }
export interface Notice { title: string; title_ja: string; reason: string; reason_ja: string; until: string }
export interface Source { licences: string[]; of: [string, string][]; said: [string, string][] }
export interface Share {
  title: string; note: string; language: string; by: string; made: string; until: string;
  box: Box; bounds: Box; layers: string[]; drills: boolean; drawn: string; zooms: [number, number];
  emergencies: Notice[]; lists: Record<string, Told>; sources: Source[];
}

const REFRESH_MS = 20_000;

/** The share that is written into the page; null where there is none. */
export function written(): Share | null {
  return JSON.parse(document.getElementById('state')?.textContent ?? 'null') as Share | null;
}

/** Asks again and again while the page is seen, not all at the same moment. */
export function follow(address: string, on: { news(share: Share): void; same(): void; gone(): void; lost(): void }): void {
  let tag = '';
  const ask = async () => {
    if (document.visibilityState === 'hidden') return;
    try {
      const answer = await fetch(`${address}/data.json`, { cache: 'no-cache' });
      if (answer.status === 404) {
        on.gone();
        return;
      }
      if (!answer.ok) throw new Error(String(answer.status));
      const next = answer.headers.get('ETag') ?? '';
      if (next && next === tag) on.same();
      else on.news((await answer.json()) as Share);
      tag = next;
    } catch {
      on.lost();
    }
    again();
  };
  let timer = 0;
  const again = () => {
    clearTimeout(timer);
    timer = window.setTimeout(() => void ask(), REFRESH_MS * (0.8 + Math.random() * 0.4));
  };
  document.addEventListener('visibilitychange', () => { if (document.visibilityState === 'visible') void ask(); });
  again();
}
