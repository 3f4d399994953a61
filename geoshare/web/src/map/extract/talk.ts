/** What the page says to the server about taking data away. */

import { ask, get, send } from '../../shared/api';

export interface ExtractRequest {
  collections: string[];
  format: string;
  bbox?: [number, number, number, number];
  area?: string | GeoJSON.Geometry;
  mesh?: string[];
  mode: 'whole' | 'clip';
  crs?: string;
}

export interface Estimate {
  features: number;
  size_about: number;
  cost: number;
  at_once: boolean;
  too_large: boolean;
}

export interface Job {
  id: string;
  kind: string;
  status: string;
  progress: number;
  created_us: number;
  request?: { collections: string[]; format: string };
  error?: { message?: string };
}

const PAUSE_MS = 700;
const pause = () => new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
const JSON_BODY = { 'Content-Type': 'application/json' };

export const estimate = (request: ExtractRequest): Promise<Estimate> => send<Estimate>('POST', '/extracts/estimate', request);

/** Extracts that were made before, newest first; none for visitors. */
export const recent = async (): Promise<Job[]> =>
  (await get<{ jobs: Job[] }>('/jobs')).jobs.filter(({ kind, status }) => kind === 'extract' && status === 'done').slice(0, 5);

/** Asks for an extract and waits for it; `progress` hears how far it is, from 0 to 1. */
export const make = (request: ExtractRequest, progress: (done: number) => void, signal: AbortSignal): Promise<Blob> =>
  fetched('/extracts', JSON.stringify(request), progress, signal);

/** Asks for an earlier one once more, of the data as they are now. */
export const again = (job: string, progress: (done: number) => void, signal: AbortSignal): Promise<Blob> =>
  fetched(`/extracts/${encodeURIComponent(job)}/again`, '', progress, signal);

async function fetched(path: string, body: string, progress: (done: number) => void, signal: AbortSignal): Promise<Blob> {
  const answer = await ask(path, { method: 'POST', headers: JSON_BODY, body, signal });
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
