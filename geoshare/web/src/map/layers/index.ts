/** Which definition draws which collection; any other collection is drawn by its geometry. */

import type { Collection } from '../../shared/api';
import { LETTERING } from '../../shared/fonts';
import { BASE_LAYERS, haloPaint } from './base';
import { DISASTER_LAYERS } from './disaster';
import { HAZARD_LAYERS } from './hazards';
import { colourOf } from './palettes';
import { PEOPLE_LAYERS } from './people';
import { anyRaster, RASTER_LAYERS } from './rasters';
import { ROAD_LAYERS } from './roads';
import { byZoom, drawn, geometry, nameOf, type Definition } from './types';

const KNOWN: Record<string, Definition> = {
  ...DISASTER_LAYERS, ...HAZARD_LAYERS, ...ROAD_LAYERS, ...PEOPLE_LAYERS, ...RASTER_LAYERS, ...BASE_LAYERS,
};

export function definitionOf(collection: Collection, index: number): Definition {
  const known = KNOWN[collection.id];
  if (known) return known;
  return collection.kind === 'vector' ? anyVector(collection, index) : anyRaster(index);
}

function anyVector(collection: Collection, index: number): Definition {
  const colour = colourOf(collection.id);
  return {
    group: 'other', order: 60 + index, visible: false,
    layers: (context) => [
      drawn(context, 'area', 'fill', 350, { filter: geometry('Polygon'), paint: { 'fill-color': colour, 'fill-opacity': 0.3 } }),
      drawn(context, 'line', 'line', 450, {
        filter: geometry('Polygon', 'LineString'), paint: { 'line-color': colour, 'line-width': byZoom([10, 1], [16, 3]) },
      }),
      drawn(context, 'point', 'circle', 650, {
        filter: geometry('Point'),
        paint: { 'circle-color': colour, 'circle-radius': byZoom([8, 2], [16, 6]), 'circle-stroke-color': '#ffffff', 'circle-stroke-width': 1.5 },
      }),
      drawn(context, 'name', 'symbol', 930, {
        filter: geometry('Point'), minzoom: 14,
        layout: {
          'text-field': nameOf(context.language, collection.label || 'name'), 'text-font': LETTERING, 'text-size': 11,
          'text-anchor': 'left', 'text-offset': [0.8, 0], 'text-optional': true,
        },
        paint: haloPaint,
      }),
    ],
    legend: () => [
      { kind: collection.geometry === 'point' ? 'point' : collection.geometry === 'line' ? 'line' : 'fill', colour: collection.geometry === 'polygon' ? `${colour}4d` : colour, outline: colour, width: 3, label: '' },
    ],
  };
}
