/** What the page says to the server about printing. */

import { send } from '../../shared/api';
import { fileOf, type Progress } from '../../shared/job';

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

export const estimate = (request: PrintRequest): Promise<Estimate> => send<Estimate>('POST', '/prints/estimate', request);

/** Asks for the sheets and waits for them; `progress` hears how far they are, from 0 to 1. */
export const make = (request: PrintRequest, progress: Progress, signal: AbortSignal): Promise<Blob> => fileOf('/prints', request, progress, signal);
