/** Which features lie under a point, and how the chosen one is marked. */

import type { LayerSpecification, Map as LibreMap, PointLike } from 'maplibre-gl';
import type { Picked } from './card';
import { every, geometry, type Drawn } from './layers/types';
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

const BLUE = '#0091ff';

/** Layers that mark the chosen feature; they lie under the icons, so that nothing is hidden. */
export function markLayers(picked: Picked | null, state: State): Drawn[] {
  const entry = picked ? state.entry(picked.collection) : undefined;
  if (!picked?.id || !entry?.visible || entry.collection.kind !== 'vector') return [];
  const common = { source: entry.definition.base ? 'base' : entry.id, 'source-layer': entry.id };
  const own = (...types: Parameters<typeof geometry>) => every(['==', ['get', 'id'], picked.id] as never, geometry(...types));
  const layers: LayerSpecification[] = [
    { id: 'mark:fill', type: 'fill', ...common, filter: own('Polygon'), paint: { 'fill-color': BLUE, 'fill-opacity': 0.14 } },
    {
      id: 'mark:line', type: 'line', ...common, filter: own('Polygon', 'LineString'),
      layout: { 'line-cap': 'round', 'line-join': 'round' }, paint: { 'line-color': BLUE, 'line-width': 3 },
    },
    {
      id: 'mark:point', type: 'circle', ...common, filter: own('Point'),
      paint: { 'circle-radius': 22, 'circle-color': BLUE, 'circle-opacity': 0.12, 'circle-stroke-color': BLUE, 'circle-stroke-width': 3 },
    },
  ];
  return layers.map((spec) => ({ height: 890, spec }));
}
