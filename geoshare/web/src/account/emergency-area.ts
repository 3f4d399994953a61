/** Where an emergency is: its extent in words, and on a small map once somebody wants to see it. */

import { api, type Collection } from '../shared/api';
import { h } from '../shared/dom';
import { t } from '../shared/i18n';
import { noticeError } from '../shared/notice';

/** West, south, east, north of a GeoJSON area; null for an administrative code. */
function boxOf(area: unknown): [number, number, number, number] | null {
  const found: [number, number, number, number] = [180, 90, -180, -90];
  const visit = (part: unknown): void => {
    if (!Array.isArray(part)) return;
    const [lon, lat] = part as unknown[];
    if (typeof lon === 'number' && typeof lat === 'number') {
      found[0] = Math.min(found[0], lon);
      found[1] = Math.min(found[1], lat);
      found[2] = Math.max(found[2], lon);
      found[3] = Math.max(found[3], lat);
    } else part.forEach(visit);
  };
  visit((area as { coordinates?: unknown } | null)?.coordinates);
  return found[0] <= found[2] ? found : null;
}

/** What a row says of the area. */
export function areaWords(area: unknown): string {
  if (typeof area === 'string') return t('emergencyCode', { code: area });
  const box = boxOf(area);
  return box ? t('emergencyBox', { west: box[0].toFixed(2), south: box[1].toFixed(2), east: box[2].toFixed(2), north: box[3].toFixed(2) }) : 'GeoJSON';
}

/** A map of the area behind a summary; loaded when it is opened. */
export function areaMap(id: string, area: unknown): HTMLElement {
  const box = h('div', { class: 'preview-map' });
  const details = h('details', { class: 'emergency-map', id: `area-${id}`, ontoggle: () => {
    if (details.open && !box.childElementCount) void draw(box, area).catch((error: unknown) => noticeError(error));
  } }, h('summary', {}, t('emergencyMap')), box);
  return details;
}

async function draw(box: HTMLElement, area: unknown): Promise<void> {
  const [{ PreviewMap }, visible, features] = await Promise.all([
    import('../contribute/preview-map'), api.collections(), typeof area === 'string' ? ofCode(area) : Promise.resolve([feature(area)]),
  ]);
  if (box.isConnected) new PreviewMap(box, visible as Collection[], { type: 'FeatureCollection', features });
}

const feature = (geometry: unknown): GeoJSON.Feature => ({ type: 'Feature', properties: {}, geometry: geometry as GeoJSON.Geometry });

async function ofCode(code: string): Promise<GeoJSON.Feature[]> {
  const { features } = await api.items('admin_areas', { filter: `code = '${code.replace(/'/g, "''")}'`, limit: '10' });
  return features.map(({ geometry }) => feature(geometry));
}
