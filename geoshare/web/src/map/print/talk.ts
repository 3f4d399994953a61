/** What the page says to the server about printing. */

import { ask, get, send } from '../../shared/api';

export interface PrintRequest {
  paper: 'A4' | 'A3';
  orientation: 'portrait' | 'landscape';
  scale?: number;
  center?: [number, number];
  bbox?: [number, number, number, number];
  collections: string[];
  hazards?: string[];
  shelter_list: boolean;
  title: string;
  note: string;
  link?: string;
  language: 'ja' | 'en';
}

export interface SheetOutline {
  number: number;
  width_m: number;
  height_m: number;
  outline: [number, number][];
}

export interface Estimate {
  scale: number;
  pages: number;
  places: number;
  list_pages: number;
  sheets: SheetOutline[];
}

interface Job { id: string; status: string; progress: number; error?: { message?: string } }

const PAUSE_MS = 700;
const pause = () => new Promise((resolve) => setTimeout(resolve, PAUSE_MS));

export const estimate = (request: PrintRequest): Promise<Estimate> => send<Estimate>('POST', '/prints/estimate', request);

/** Asks for the sheets and waits for them; `progress` hears how far they are, from 0 to 1. */
export async function make(request: PrintRequest, progress: (done: number) => void, signal: AbortSignal): Promise<Blob> {
  const answer = await ask('/prints', {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(request), signal,
  });
  if (answer.status !== 202) return answer.blob();
  const { job } = (await answer.json()) as { job: string };
  const address = `/jobs/${encodeURIComponent(job)}`;
  for (;;) {
    if (signal.aborted) {
      await ask(address, { method: 'DELETE' });
      throw new DOMException('cancelled', 'AbortError');
    }
    const found = await get<Job>(address);
    progress(found.progress);
    if (found.status === 'done') return (await ask(`${address}/result`)).blob();
    if (found.status !== 'queued' && found.status !== 'running') throw new Error(found.error?.message ?? found.status);
    await pause();
  }
}
