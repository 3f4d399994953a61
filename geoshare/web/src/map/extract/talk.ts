/** What the page says to the server about taking data away. */

import { get, send } from '../../shared/api';
import { fileOf, type Job, type Progress } from '../../shared/job';

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

/** An extract that was made before. */
export interface Earlier extends Job {
  kind: string;
  created_us: number;
  request?: { collections: string[]; format: string };
}

export const estimate = (request: ExtractRequest): Promise<Estimate> => send<Estimate>('POST', '/extracts/estimate', request);

/** Extracts that were made before, newest first; none for visitors. */
export const recent = async (): Promise<Earlier[]> =>
  (await get<{ jobs: Earlier[] }>('/jobs')).jobs.filter(({ kind, status }) => kind === 'extract' && status === 'done').slice(0, 5);

/** Asks for an extract and waits for it; `progress` hears how far it is, from 0 to 1. */
export const make = (request: ExtractRequest, progress: Progress, signal: AbortSignal): Promise<Blob> =>
  fileOf('/extracts', request, progress, signal);

/** Asks for an earlier one once more, of the data as they are now. */
export const again = (job: string, progress: Progress, signal: AbortSignal): Promise<Blob> =>
  fileOf(`/extracts/${encodeURIComponent(job)}/again`, undefined, progress, signal);
