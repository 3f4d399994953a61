/** Cells and areas coloured by a value; suppressed cells look suppressed, never like zero. */

import { cellEdge, cellPointEdge, notCounted, things } from '../../../../model/appearance.json';
import { t, number } from '../../shared/i18n';
import { FLOW, POPULATION } from './palettes';
import { byZoom, drawn, every, expression, geometry, get, type Context, type Definition, type Expression, type Swatch } from './types';

const FINE_MESH_ZOOM = 13;
const isSuppressed = expression(['==', ['get', 'suppressed'], true]);

function colours(context: Context, palette: readonly string[], property: string): Expression {
  const breaks = context.sample?.breaks[context.choice] ?? [];
  const usable = breaks.slice(0, palette.length - 1);
  if (!usable.length) return expression(palette[2]);
  const first = palette[0] as string;
  const value = ['to-number', get(property), -1];
  return expression([
    'case', ['!', ['has', property]], notCounted,
    ['step', value, first, ...usable.flatMap((limit, index) => [limit, palette[index + 1]])],
  ]);
}

function legend(context: Context, palette: readonly string[]): Swatch[] {
  const breaks = (context.sample?.breaks[context.choice] ?? []).slice(0, palette.length - 1);
  if (!context.sample) return [{ kind: 'heading', label: t('reading') }];
  const classes = palette.slice(0, breaks.length + 1).map((colour, index): Swatch => {
    const from = breaks[index - 1];
    const to = breaks[index];
    const label =
      from === undefined && to === undefined ? '' :
      from === undefined ? `< ${number(to as number)}` :
      to === undefined ? `${number(from)} –` : `${number(from)} – ${number(to)}`;
    return { kind: 'fill', colour, outline: '#8d8d99', label };
  });
  return [...classes.reverse(), { kind: 'fill', colour: things.hatch[0] as string, outline: '#9aa4ac', hatch: true, label: t('suppressed') }];
}

function choropleth(
  order: number, property: string, palette: readonly string[], choice: string, hour?: string,
): Definition {
  const filters = (context: Context) => every(
    context.choice ? (expression(['==', ['get', choice], context.choice]) as never) : undefined,
    hour && context.time ? hourFilter(hour, context.time) as never : undefined,
    hour ? undefined : oneMesh(context) as never,
  );
  return {
    group: 'people', order, visible: false, alone: true, opacity: 0.75, classes: property, hour,
    choice: {
      label: 'collection', property: choice, all: false,
      filter: (value) => expression(['==', ['get', choice], value]) as never,
    },
    layers: (context) => [
      drawn(context, 'area', 'fill', 200, {
        filter: every(filters(context), geometry('Polygon')),
        // Meshes of several sizes lie over each other: the finest is on top.
        layout: { 'fill-sort-key': ['-', 0, ['to-number', get('mesh_size_m'), 0]] },
        paint: { 'fill-color': colours(context, palette, property) },
      }),
      drawn(context, 'suppressed', 'fill', 201, {
        filter: every(filters(context), geometry('Polygon'), isSuppressed as never),
        paint: { 'fill-pattern': 'hatch' },
      }),
      drawn(context, 'edge', 'line', 202, {
        filter: every(filters(context), geometry('Polygon')), minzoom: 11,
        paint: { 'line-color': cellEdge, 'line-width': byZoom([11, 0.2], [16, 0.8]), 'line-opacity': 0.6 },
      }),
      drawn(context, 'point', 'circle', 640, {
        filter: every(filters(context), geometry('Point')),
        paint: {
          'circle-color': colours(context, palette, property), 'circle-stroke-color': cellPointEdge, 'circle-stroke-width': 1.2,
          'circle-radius': byZoom([9, 4], [16, 14]),
        },
      }),
    ],
    legend: (context) => legend(context, palette),
  };
}

/**
 * Census meshes are published whole in several sizes, sums over their parts: one size is shown at a time, the
 * finest from a town's zoom on. The fine meshes of a flow fill only parts of the coarse ones; there all are shown.
 */
function oneMesh(context: Context): Expression | undefined {
  const [finest, ...coarser] = context.sample?.meshes ?? [];
  const coarsest = coarser.at(-1);
  if (finest === undefined || coarsest === undefined) return undefined;
  const size = ['coalesce', get('mesh_size_m'), 0];
  // What has no mesh, such as a figure of an administrative area, is shown at every zoom.
  return expression(['any', ['==', size, 0], ['==', size, ['step', ['zoom'], coarsest, FINE_MESH_ZOOM, finest]]]);
}

/** Rows of one hour, whether the tile carries the time as text or as microseconds. */
function hourFilter(property: string, time: string): Expression {
  const micros = Date.parse(time) * 1000;
  const text = new Date(time).toISOString().slice(0, 13);
  return expression([
    'any',
    ['==', ['slice', ['to-string', ['coalesce', ['get', property], '']], 0, 13], text],
    ['==', ['get', property], micros],
  ]);
}

export const PEOPLE_LAYERS: Record<string, Definition> = {
  statistics: choropleth(30, 'value', POPULATION, 'indicator'),
  people_flow: choropleth(31, 'count', FLOW, 'object_class', 'from_time'),
};
