/** Which features lie under a point, and how the chosen one is marked. */

import type { Map as LibreMap, PointLike } from 'maplibre-gl';
import type { Picked } from './card';
import type { State } from './state';

const REACH_PX = 6;
const MAX_PICKED = 12;
const QUIET = new Set(['admin_areas', 'water', 'places']);

/** Features near a point, topmost first; land and water answer only where there is nothing else. */
export function pickAt(map: LibreMap, point: { x: number; y: number }, state: State, reach = REACH_PX): Picked[] {
  const box: [PointLike, PointLike] = [[point.x - reach, point.y - reach], [point.x + reach, point.y + reach]];
  const known = new Set(state.entries.filter((entry) => entry.visible).map((entry) => entry.id));
  const found = new Map<string, Picked>();
  for (const feature of map.queryRenderedFeatures(box)) {
    const collection = feature.layer.id.split(':')[0] ?? '';
    if (!known.has(collection)) continue;
    const properties = feature.properties as Record<string, unknown>;
    const id = String(properties.id ?? '');
    const key = `${collection}/${id || feature.id}`;
    if (!found.has(key)) found.set(key, { collection, id, properties });
    if (found.size >= MAX_PICKED) break;
  }
  const all = [...found.values()];
  const loud = all.filter((picked) => !QUIET.has(picked.collection));
  return loud.length ? loud : all;
}

const MARK = ['mark:fill', 'mark:line', 'mark:point'];

export function setHighlight(map: LibreMap, picked: Picked | null, state: State): void {
  for (const id of MARK) if (map.getLayer(id)) map.removeLayer(id);
  const entry = picked ? state.entry(picked.collection) : undefined;
  if (!picked?.id || !entry || entry.collection.kind !== 'vector') return;
  const source = entry.definition.base ? 'base' : entry.id;
  if (!map.getSource(source)) return;
  const common = { source, 'source-layer': entry.id };
  const own = ['==', ['get', 'id'], picked.id];
  const shape = (name: string) => ['all', own, ['in', ['geometry-type'], ['literal', [name, `Multi${name}`]]]];
  map.addLayer({ id: 'mark:fill', type: 'fill', ...common, filter: shape('Polygon') as never, paint: { 'fill-color': '#00b3ff', 'fill-opacity': 0.18 } });
  map.addLayer({
    id: 'mark:line', type: 'line', ...common, filter: ['any', shape('Polygon'), shape('LineString')] as never,
    layout: { 'line-cap': 'round', 'line-join': 'round' }, paint: { 'line-color': '#0091ff', 'line-width': 4, 'line-opacity': 0.85 },
  });
  map.addLayer({
    id: 'mark:point', type: 'circle', ...common, filter: shape('Point') as never,
    paint: { 'circle-radius': 22, 'circle-color': '#00b3ff', 'circle-opacity': 0.06, 'circle-stroke-color': '#0091ff', 'circle-stroke-width': 3 },
  });
}
