/** The background: land, water, buildings and names, quiet enough for data to stand out. */

import { LETTERING } from '../../shared/fonts';
import { t } from '../../shared/i18n';
import { BASE } from './palettes';
import { byZoom, drawn, every, expression, get, nameOf, type Definition } from './types';

const halo = { 'text-halo-color': BASE.halo, 'text-halo-width': 1.6, 'text-halo-blur': 0.3 };

export const BASE_LAYERS: Record<string, Definition> = {
  places: {
    group: 'base', order: 90, visible: true, base: true,
    layers: (context) => [
      drawn(context, 'name', 'symbol', 900, {
        layout: {
          'text-field': nameOf(context.language),
          'text-font': LETTERING,
          'text-size': byZoom(
            [9, ['match', ['get', 'class'], ['city', 'town', 'village'], 13, 10]],
            [16, ['match', ['get', 'class'], ['city', 'town', 'village'], 21, 14]],
          ),
          'text-max-width': 8,
          'text-padding': 6,
          'text-letter-spacing': 0.04,
          'symbol-sort-key': expression(['coalesce', ['get', 'rank'], 50]),
        },
        paint: {
          ...halo,
          'text-color': expression([
            'match', ['get', 'class'], ['water', 'river', 'sea', 'bay'], BASE.waterText, ['station'], BASE.stationText, BASE.text,
          ]),
        },
      }),
    ],
    legend: () => [],
  },
  buildings: {
    group: 'base', order: 91, visible: true, base: true, minzoom: 13,
    layers: (context) => [
      drawn(context, 'area', 'fill', 320, {
        minzoom: 13,
        paint: { 'fill-color': BASE.building, 'fill-outline-color': BASE.buildingEdge, 'fill-opacity': context.shown.has('satellite') ? 0.12 : 1 },
      }),
      drawn(context, 'edge', 'line', 321, {
        minzoom: 16, paint: { 'line-color': BASE.buildingEdge, 'line-width': 0.8 },
      }),
    ],
    legend: () => [{ kind: 'fill', colour: BASE.building, outline: BASE.buildingEdge, label: '' }],
  },
  water: {
    group: 'base', order: 92, visible: true, base: true,
    layers: (context) => [
      drawn(context, 'area', 'fill', 20, {
        filter: every(expression(['==', ['geometry-type'], 'Polygon']) as never),
        paint: { 'fill-color': BASE.water },
      }),
      drawn(context, 'line', 'line', 21, {
        paint: { 'line-color': BASE.waterEdge, 'line-width': byZoom([10, 0.4], [17, 1.2]) },
      }),
    ],
    legend: () => [{ kind: 'fill', colour: BASE.water, outline: BASE.waterEdge, label: '' }],
  },
  admin_areas: {
    group: 'base', order: 93, visible: true, base: true,
    layers: (context) => [
      drawn(context, 'land', 'fill', 10, { paint: { 'fill-color': BASE.land } }),
      drawn(context, 'edge', 'line', 330, {
        minzoom: 8,
        paint: {
          'line-color': expression(['match', ['get', 'level'], ['prefecture', 'city'], BASE.boundary, BASE.boundaryFine]),
          'line-width': byZoom(
            [9, ['match', ['get', 'level'], ['prefecture', 'city'], 0.8, 0.2]],
            [16, ['match', ['get', 'level'], ['prefecture', 'city'], 2.2, 1.1]],
          ),
          'line-dasharray': [4, 2],
        },
      }),
    ],
    legend: () => [
      { kind: 'fill', colour: BASE.land, outline: BASE.landEdge, label: '' },
      { kind: 'line', colour: BASE.boundary, dash: true, width: 2, label: t('boundary') },
    ],
  },
};

export const label = (size: number) => ({
  'text-font': LETTERING,
  'text-size': size,
  'text-optional': true,
});

export const haloPaint = { ...halo, 'text-color': BASE.text };
export const has = (name: string) => expression(['has', name]);
export { get };
