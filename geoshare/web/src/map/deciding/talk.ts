/** What the server works out of what the caller sees: people in an area, exposure of a road. */

import { saveAnswer, send } from '../../shared/api';

export interface Figure { value: number | null; state: 'estimated' | 'counted' | 'below' | 'at_least' | 'suppressed' | 'unknown' }
export interface HazardClass { class: string; depth_min_m: number | null; depth_max_m: number | null; title: string; title_ja: string }
export interface Counts {
  km2: number;
  people: { population: Figure; population_65: Figure; households: Figure };
  buildings: Figure;
  storeys: Record<'1' | '2' | '3+' | 'unknown', number> | null;
}
export interface Summary {
  area: { names: string[]; km2: number; bbox: [number, number, number, number] };
  hazard: { hazard_type: string; scenario: string | null; state: 'zones' | 'unknown' };
  rows: (HazardClass & Counts)[];
  total: Counts;
  figures: { indicator: string; known_share: number }[];
  made_at: string;
  method: { ja: string[]; en: string[] };
  sources: { title: string; title_ja: string; detail: string; detail_ja: string }[];
}
export interface AreaInputs {
  area?: GeoJSON.Geometry;
  codes?: string[];
  evacuation_area?: string;
  hazard_type: string;
  scenario?: string;
}

export interface Exposure {
  hazards: { hazard_type: string; scenario: string | null; state: 'zones' | 'unknown'; classes: (HazardClass & { length_m: number; share: number })[] }[];
  closures: { state: string; items: Record<string, unknown>[] };
  structures: { state: string; items: Record<string, unknown>[] };
  rain: { state: string; value: number | null; unit: string | null; datetime: string | null };
}

const XLSX = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet';
const AREA = '/processes/area-summary/execution';

export const areaSummary = (inputs: AreaInputs): Promise<Summary> => send<Summary>('POST', AREA, { inputs });

export const saveAreaSummary = (inputs: AreaInputs): Promise<void> =>
  saveAnswer(AREA, { inputs, outputs: { result: { format: { mediaType: XLSX } } } }, 'area-summary.xlsx');

export const roadExposure = (segment: string, datetime: string | null): Promise<Exposure> =>
  send<Exposure>('POST', '/processes/road-exposure/execution', { inputs: { segment, ...(datetime ? { datetime } : {}) } });
