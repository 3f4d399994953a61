/** Roads as on a street map; from close by, lanes as they are painted on the ground. */

import { lanes, roads, things } from '../../../../model/appearance.json';
import { LETTERING } from '../../shared/fonts';
import { t } from '../../shared/i18n';
import { haloPaint } from './base';
import { BASE } from './palettes';
import { among, byZoom, drawn, every, expression, geometry, metres, nameOf, type Context, type Definition, type Expression } from './types';

type Kind = keyof typeof roads.fill;
const KINDS = roads.order as Kind[];

/** A value for each class of roads; those of no known class are minor ones. */
function road(values: Readonly<Record<Kind, unknown>>): Expression {
  const cases = Object.entries(roads.kinds).flatMap(([kind, names]) => [names, values[kind as Kind]]);
  return expression(['match', ['coalesce', ['get', 'class'], ''], ...cases, values.minor]);
}

function each<Value>(value: (kind: Kind) => Value): Record<Kind, Value> {
  return Object.fromEntries(KINDS.map((kind) => [kind, value(kind)])) as Record<Kind, Value>;
}

/** Widths by zoom; all kinds have the same zooms. */
const widths = (said: Readonly<Record<Kind, number[][]>>): Expression =>
  byZoom(...said.minor.map(([zoom], at): [number, unknown] => [zoom as number, road(each((kind) => said[kind][at]?.[1]))]));

const WIDTH = widths(roads.width);
const CASING = widths(roads.casing);
const FILL = road(roads.fill);
const EDGE = road(roads.edge);
const isRail = expression(['==', ['get', 'subtype'], 'rail']);
const notRail = expression(['!=', ['coalesce', ['get', 'subtype'], 'road'], 'rail']);
const line = { 'line-cap': 'round', 'line-join': 'round' };

const PAINT: Expression = expression(['match', ['coalesce', ['get', 'color'], ''], ['yellow', 'orange'], lanes.yellow, lanes.white]);
const KERB = ['curbstone', 'road_border', 'guard_rail', 'wall', 'fence', 'jersey_barrier', 'curb', 'edge', 'rail', 'gate'];

const LANE: Expression = expression([
  'match', ['coalesce', ['get', 'subtype'], ''], ['crosswalk'], lanes.crosswalk,
  ['match', ['coalesce', ['get', 'type'], ''],
    ['sidewalk', 'walking', 'curb'], lanes.walking,
    ['biking'], lanes.biking,
    ['shoulder', 'border', 'stop', 'none', 'restricted', 'median'], lanes.shoulder,
    ['match', ['coalesce', ['get', 'subtype'], ''],
      ['walkway', 'shared_walkway', 'stairs'], lanes.walking,
      ['bicycle_lane'], lanes.biking,
      ['road_shoulder', 'pedestrian_lane'], lanes.shoulder,
      lanes.driving]],
]);
const laneWidth = (context: Context) => metres(['coalesce', ['get', 'width_m'], 3], context.latitude);

const ROADSIDE_LINE = things.roadside_features;
const roadsideImage = expression(['concat', 'roadside|', ['coalesce', ['get', 'class'], '']]);
const small = byZoom([16, 0.5], [19, 0.95]);

/** Signals and signs are surveyed as short lines: the sign of a sign stands at their middle. */
const ROADSIDE: Definition = {
  group: 'roads', order: 17, visible: true, minzoom: 16,
  layers: (context) => [
    drawn(context, 'area', 'fill', 430, { minzoom: 16, filter: geometry('Polygon'), paint: { 'fill-color': ROADSIDE_LINE, 'fill-opacity': 0.25 } }),
    drawn(context, 'line', 'line', 431, {
      minzoom: 16, filter: every(geometry('LineString', 'Polygon'), expression(['!', among('class', 'stop_line', 'signal', 'sign', 'light_bulb')]) as never),
      paint: { 'line-color': ROADSIDE_LINE, 'line-width': byZoom([16, 1], [19, 3]) },
    }),
    drawn(context, 'stop', 'line', 432, {
      minzoom: 16, filter: every(geometry('LineString'), among('class', 'stop_line')),
      paint: { 'line-color': lanes.white, 'line-width': metres(0.45, context.latitude) },
    }),
    drawn(context, 'sign', 'symbol', 621, {
      minzoom: 16.5, filter: every(geometry('LineString'), among('class', 'signal', 'sign')),
      layout: { 'symbol-placement': 'line-center', 'icon-image': roadsideImage, 'icon-size': small, 'icon-rotation-alignment': 'viewport', 'icon-allow-overlap': true },
    }),
    drawn(context, 'point', 'symbol', 620, {
      minzoom: 16, filter: geometry('Point'),
      layout: { 'icon-image': roadsideImage, 'icon-size': small, 'icon-allow-overlap': true },
    }),
  ],
  legend: () => [
    { kind: 'image', image: 'roadside|signal', label: t('signal') },
    { kind: 'image', image: 'roadside|sign', label: t('sign') },
    { kind: 'image', image: 'roadside|street_lamp', label: t('streetLamp') },
    { kind: 'image', image: 'roadside|tree', label: t('tree') },
    { kind: 'line', colour: lanes.white, casing: lanes.driving, width: 5, label: t('stopLine') },
  ],
};

export const ROAD_LAYERS: Record<string, Definition> = {
  segments: {
    group: 'roads', order: 10, visible: true, base: true,
    layers: (context) => [
      drawn(context, 'casing', 'line', 340, { filter: notRail as never, layout: line, paint: { 'line-color': EDGE, 'line-width': CASING } }),
      drawn(context, 'road', 'line', 341, {
        filter: notRail as never,
        layout: { ...line, 'line-sort-key': road(each((kind) => 2 * KINDS.indexOf(kind) + 1)) },
        paint: { 'line-color': FILL, 'line-width': WIDTH },
      }),
      drawn(context, 'rail', 'line', 342, { filter: isRail as never, paint: { 'line-color': BASE.rail, 'line-width': byZoom([10, 0.8], [17, 3]) } }),
      drawn(context, 'sleepers', 'line', 343, {
        filter: isRail as never, minzoom: 13,
        paint: { 'line-color': '#ffffff', 'line-width': byZoom([13, 0.8], [17, 2]), 'line-dasharray': [5, 5] },
      }),
      drawn(context, 'name', 'symbol', 910, {
        minzoom: 14,
        layout: {
          'symbol-placement': 'line', 'text-field': nameOf(context.language), 'text-font': LETTERING,
          'text-size': byZoom([14, 10.5], [18, 14]), 'symbol-spacing': 320, 'text-max-angle': 35,
        },
        paint: haloPaint,
      }),
    ],
    legend: () => [
      { kind: 'line', colour: roads.fill.motorway, casing: roads.edge.motorway, width: 6, label: t('motorway') },
      { kind: 'line', colour: roads.fill.main, casing: roads.edge.main, width: 6, label: t('mainRoad') },
      { kind: 'line', colour: roads.fill.minor, casing: roads.edge.tertiary, width: 5, label: t('minorRoad') },
      { kind: 'line', colour: BASE.rail, width: 2, label: t('railway') },
    ],
  },
  lanes: {
    group: 'roads', order: 11, visible: true, minzoom: 15,
    layers: (context) => [
      drawn(context, 'surface', 'line', 400, {
        minzoom: 15, layout: { 'line-join': 'round', 'line-cap': 'butt', 'line-sort-key': expression(['case', ['==', ['get', 'subtype'], 'crosswalk'], 2, 1]) },
        paint: { 'line-color': LANE, 'line-width': laneWidth(context) },
      }),
      drawn(context, 'stripes', 'line', 401, {
        minzoom: 16, filter: among('subtype', 'crosswalk'),
        paint: { 'line-color': lanes.white, 'line-width': metres(['*', 0.85, ['coalesce', ['get', 'width_m'], 3]], context.latitude), 'line-dasharray': [0.14, 0.14] },
      }),
      drawn(context, 'arrow', 'symbol', 420, {
        minzoom: 17, filter: expression(['!', ['in', ['coalesce', ['get', 'subtype'], ''], ['literal', ['crosswalk', 'walkway', 'shared_walkway', 'stairs']]]]) as never,
        layout: {
          'symbol-placement': 'line', 'symbol-spacing': 140,
          'icon-image': expression(['concat', 'arrow-', ['match', ['coalesce', ['get', 'turn_direction'], 'straight'], ['left'], 'left', ['right'], 'right', 'straight']]),
          'icon-size': byZoom([17, 0.4], [20, 1.2]), 'icon-rotate': 90, 'icon-rotation-alignment': 'map', 'icon-padding': 1,
        },
        paint: { 'icon-opacity': 0.9 },
      }),
    ],
    legend: () => [
      { kind: 'fill', colour: lanes.driving, label: t('driving') },
      { kind: 'fill', colour: lanes.walking, label: t('walking') },
      { kind: 'fill', colour: lanes.crosswalk, hatch: true, label: t('crosswalk') },
      { kind: 'fill', colour: lanes.biking, label: t('biking') },
      { kind: 'fill', colour: lanes.shoulder, label: t('shoulder') },
    ],
  },
  lane_boundaries: {
    group: 'roads', order: 12, visible: true, minzoom: 16,
    layers: (context) => {
      const width = metres(['max', 0.12, ['coalesce', ['get', 'width_m'], 0.15]], context.latitude);
      const dashed = expression(['in', ['coalesce', ['get', 'subtype'], ''], ['literal', ['dashed', 'dashed_solid', 'solid_dashed', 'broken', 'broken broken']]]);
      const isKerb = among('type', ...KERB);
      const isVirtual = among('type', 'virtual');
      const painted = every(expression(['!', isKerb]) as never, expression(['!', isVirtual]) as never);
      return [
        drawn(context, 'kerb', 'line', 410, { minzoom: 16, filter: isKerb, layout: line, paint: { 'line-color': lanes.kerb, 'line-width': metres(0.2, context.latitude) } }),
        drawn(context, 'solid', 'line', 411, { minzoom: 16, filter: every(painted, expression(['!', dashed]) as never), layout: line, paint: { 'line-color': PAINT, 'line-width': width } }),
        drawn(context, 'dashed', 'line', 412, { minzoom: 16, filter: every(painted, dashed as never), paint: { 'line-color': PAINT, 'line-width': width, 'line-dasharray': [14, 14] } }),
        drawn(context, 'virtual', 'line', 413, { minzoom: 18, filter: isVirtual, paint: { 'line-color': lanes.virtual, 'line-width': 1, 'line-dasharray': [2, 4], 'line-opacity': 0.7 } }),
      ];
    },
    legend: () => [
      { kind: 'line', colour: lanes.white, casing: lanes.driving, width: 2, label: t('solidLine') },
      { kind: 'line', colour: lanes.white, casing: lanes.driving, width: 2, dash: true, label: t('dashedLine') },
      { kind: 'line', colour: lanes.yellow, casing: lanes.driving, width: 2, label: t('yellowLine') },
      { kind: 'line', colour: lanes.kerb, width: 2, label: t('curb') },
    ],
  },
  areas: surface(13, things.areas, 15),
  junctions: surface(14, things.junctions, 15),
  regulatory_elements: marked(15, 'rule', 16, things.regulatory_elements),
  structures: marked(16, 'structure', 13, things.structures),
  roadside_features: ROADSIDE,
  connectors: {
    group: 'roads', order: 18, visible: false, minzoom: 14,
    layers: (context) => [
      drawn(context, 'point', 'circle', 520, {
        minzoom: 14,
        paint: { 'circle-radius': byZoom([14, 2], [18, 5]), 'circle-color': things.connectors[0] as string, 'circle-stroke-color': things.connectors[1] as string, 'circle-stroke-width': 1.5 },
      }),
    ],
    legend: () => [{ kind: 'point', colour: things.connectors[0] as string, outline: things.connectors[1] as string, label: '' }],
  },
};

function surface(order: number, colours: readonly string[], minzoom: number): Definition {
  const [colour, edge] = colours as [string, string];
  return {
    group: 'roads', order, visible: true, minzoom,
    layers: (context) => [
      drawn(context, 'area', 'fill', 395, { minzoom, filter: geometry('Polygon'), paint: { 'fill-color': colour, 'fill-opacity': 0.75 } }),
      drawn(context, 'edge', 'line', 396, { minzoom, filter: geometry('Polygon', 'LineString'), paint: { 'line-color': edge, 'line-width': 1 } }),
      drawn(context, 'point', 'circle', 521, { minzoom, filter: geometry('Point'), paint: { 'circle-radius': 4, 'circle-color': colour, 'circle-stroke-color': edge, 'circle-stroke-width': 1.5 } }),
    ],
    legend: () => [{ kind: 'fill', colour, outline: edge, label: '' }],
  };
}

/** Things along a road of any geometry: an image at points, coloured lines and areas. */
function marked(order: number, image: string, minzoom: number, colour: string): Definition {
  const kind = expression(['coalesce', ['get', 'subtype'], ['get', 'kind'], '']);
  return {
    group: 'roads', order, visible: true, minzoom,
    layers: (context) => [
      drawn(context, 'area', 'fill', 430, { minzoom, filter: geometry('Polygon'), paint: { 'fill-color': colour, 'fill-opacity': 0.25 } }),
      drawn(context, 'line', 'line', 431, {
        minzoom, filter: geometry('LineString', 'Polygon'), layout: line,
        paint: { 'line-color': colour, 'line-width': byZoom([13, 1], [18, 2.4]), 'line-opacity': 0.85 },
      }),
      drawn(context, 'point', 'symbol', 620, {
        minzoom, filter: geometry('Point'),
        layout: { 'icon-image': expression(['concat', image, '|', kind]), 'icon-size': byZoom([13, 0.55], [19, 1]), 'icon-allow-overlap': true },
      }),
      drawn(context, 'name', 'symbol', 905, {
        minzoom: minzoom + 1, filter: geometry('Point', 'LineString'),
        layout: {
          'text-field': nameOf(context.language), 'text-font': LETTERING, 'text-size': 11, 'text-anchor': 'top',
          'text-offset': [0, 0.9], 'text-optional': true, 'symbol-placement': 'point',
        },
        paint: haloPaint,
      }),
    ],
    legend: () => [
      { kind: 'image', image: `${image}|`, label: '' },
      { kind: 'line', colour, width: 3, label: '' },
    ],
  };
}
