/** What tiles are painted with: outlines gathered by colour once, then drawn in order, ground first. */

import { roads } from '../../../model/appearance.json';
import { ADVISORY, ALERT, BASE, EVENT, LEVEL_OTHER, LEVEL_UNKNOWN, zoneColour } from '../map/layers/palettes';
import { isReal } from '../shared/language';
import { isOver } from '../shared/standing';
import type { Feature, Layer, Value } from './mvt';

type Values = Record<string, Value>;
export interface Label { key: string; x: number; y: number; values: Values }
export interface Sign { kind: 'closed' | 'restricted' | 'planned'; x: number; y: number; id: string }

/** One thing to draw with one pen: fills, or lines of a width in pixels by zoom. */
interface Stroke {
  path: Path2D;
  order: number;
  fill?: string;
  line?: string;
  width?: (zoom: number) => number;
  dash?: readonly number[];
  alpha?: number;
  minzoom?: number;
}

/** A tile ready to be drawn. `extent` is its side in units. */
export interface Painted { extent: number; strokes: Stroke[]; labels: Label[]; signs: Sign[]; land: boolean }

const between = (...steps: [number, number][]) => (zoom: number): number => {
  const [first, last] = [steps[0] as [number, number], steps.at(-1) as [number, number]];
  if (zoom <= first[0]) return first[1];
  if (zoom >= last[0]) return last[1];
  const index = steps.findIndex(([at]) => at > zoom);
  const [from, to] = [steps[index - 1] as [number, number], steps[index] as [number, number]];
  return from[1] + ((zoom - from[0]) / (to[0] - from[0])) * (to[1] - from[1]);
};

type Pen = Omit<Stroke, 'path'>;
const text = (values: Values, name: string): string => String(values[name] ?? '');

export function levelColour(level: unknown, otherwise: string = LEVEL_UNKNOWN): string {
  const number = Number(level);
  return number === 2 ? ADVISORY : ALERT[number as 3 | 4 | 5] ?? otherwise;
}

const OVER = ['planned', 'ended', 'cancelled', 'drill'];
const FULL = ['closedWeather', 'closedConstruction', 'closedHeavyVehicle', 'closedWinter'];

/** How a road stands: shut, restricted, or not in force now. */
export function roadState(values: Record<string, unknown>): Sign['kind'] {
  if (OVER.includes(String(values.status ?? 'active'))) return 'planned';
  const category = values.regulation_category;
  const shut = category === undefined ? ['closure', 'flood'].includes(String(values.kind)) : FULL.includes(String(category));
  return shut ? 'closed' : 'restricted';
}

export const ROAD_COLOURS: Readonly<Record<Sign['kind'], string>> = EVENT;

type Kind = keyof typeof roads.fill;
const KIND_OF = new Map(Object.entries(roads.kinds).flatMap(([kind, names]) => names.map((name) => [name, kind as Kind] as const)));
/** Widths by zoom, from where a road has any. */
const ROAD_WIDTHS = Object.fromEntries(Object.entries(roads.width).map(([kind, stops]) =>
  [kind, between(...(stops as [number, number][]).filter(([, width]) => width > 0))])) as Record<Kind, (zoom: number) => number>;

function roadPens(values: Values): Pen[] {
  if (values.subtype === 'rail') return [{ order: 46, line: BASE.rail, width: between([8, 0.6], [16, 2.4]), dash: [6, 4] }];
  const kind = KIND_OF.get(text(values, 'class')) ?? 'minor';
  const width = ROAD_WIDTHS[kind];
  return [
    { order: 40, line: roads.edge[kind], width: (zoom) => width(zoom) + Math.min(2.4, 0.6 + width(zoom) * 0.25) },
    { order: 41 + roads.order.indexOf(kind), line: roads.fill[kind], width },
  ];
}

/** The pens that a feature is drawn with. */
function pens(layer: string, feature: Feature): Pen[] {
  const { type, values } = feature;
  const area = type === 3;
  switch (layer) {
    case 'admin_areas': {
      const large = ['prefecture', 'city'].includes(text(values, 'level'));
      const edge: Pen = {
        order: 50, line: large ? BASE.boundary : BASE.boundaryFine, dash: [6, 4], minzoom: 8,
        width: between([9, large ? 0.8 : 0.2], [16, large ? 2 : 1]),
      };
      return area ? [{ order: 1, fill: BASE.land }, edge] : [edge];
    }
    case 'water': return area
      ? [{ order: 10, fill: BASE.water }] : [{ order: 11, line: BASE.waterEdge, width: between([10, 0.5], [17, 2]) }];
    case 'hazard_zones': return [{ order: 20 + Math.min(9, Math.max(0, Number(values.depth_min_m ?? 0))) / 2, fill: zoneColour(values), alpha: 0.7 }];
    case 'warnings': {
      if (['lifted', 'cancelled'].includes(text(values, 'state'))) return [];
      const drill = ['drill', 'test'].includes(text(values, 'state'));
      const line = drill ? LEVEL_UNKNOWN : levelColour(values.level);
      const edge: Pen = { order: 60, line, width: between([8, 1.5], [16, 3.5]), ...(drill ? { dash: [6, 5] } : {}) };
      return drill ? [edge] : [{ order: 30, fill: line, alpha: 0.05 }, edge];
    }
    case 'evacuation_areas': {
      const line = levelColour(values.level, LEVEL_OTHER);
      if (['drill', 'test'].includes(text(values, 'status'))) {
        return [{ order: 61, line: LEVEL_UNKNOWN, width: between([10, 1.5], [16, 3]), dash: [6, 5] }];
      }
      return [{ order: 31, fill: line, alpha: 0.22 }, { order: 61, line, width: between([10, 1.5], [16, 4]) }];
    }
    case 'segments': return roadPens(values);
    case 'events': {
      if (type === 1) return [];
      const state = roadState(values);
      const line = ROAD_COLOURS[state];
      return [
        ...(area ? [{ order: 62, fill: line, alpha: 0.25 }] : []),
        { order: 70, line: '#ffffff', width: between([10, 4], [16, 11]) },
        { order: 71, line, width: between([10, 2.6], [16, 7]) },
        ...(state === 'closed' ? [{ order: 72, line: '#ffffff', width: between([10, 1], [16, 2.6]), dash: [5, 6] }] : []),
      ];
    }
    default: return [];
  }
}

function trace(path: Path2D, feature: Feature): void {
  for (const part of feature.parts) {
    path.moveTo(part[0] as number, part[1] as number);
    for (let index = 2; index < part.length; index += 2) path.lineTo(part[index] as number, part[index + 1] as number);
    if (feature.type === 3) path.closePath();
  }
}

/** Where the sign of a closed road stands: half way along its longest part, if that is inside the tile. */
function signPlace(feature: Feature, extent: number): [number, number] | null {
  const part = feature.parts.reduce((best, next) => (next.length > best.length ? next : best), [] as number[]);
  if (!part.length) return null;
  const middle = Math.floor(part.length / 4) * 2;
  const [x, y] = feature.type === 2 && part.length === 4
    ? [((part[0] as number) + (part[2] as number)) / 2, ((part[1] as number) + (part[3] as number)) / 2]
    : [part[middle] as number, part[middle + 1] as number];
  return x >= 0 && y >= 0 && x < extent && y < extent ? [x, y] : null;
}

/** Sorts what a tile holds under the pens that draw it. */
export function paint(layers: Map<string, Layer>, drills: boolean): Painted {
  const strokes = new Map<string, Stroke>();
  const found: Painted = { extent: 4096, strokes: [], labels: [], signs: [], land: false };
  for (const [name, layer] of layers) {
    found.extent = layer.extent;
    if (name === 'admin_areas' && layer.features.length) found.land = true;
    for (const feature of layer.features) {
      if (isOver(name, feature.values) || !(drills || isReal(feature.values))) continue;
      if (name === 'places' && feature.type === 1) {
        const [x, y] = feature.parts[0] as [number, number];
        found.labels.push({ key: text(feature.values, 'id'), x, y, values: feature.values });
        continue;
      }
      if (name === 'events') {
        const place = signPlace(feature, layer.extent);
        if (place) found.signs.push({ kind: roadState(feature.values), x: place[0], y: place[1], id: text(feature.values, 'id') });
      }
      for (const pen of pens(name, feature)) {
        const key = `${pen.order} ${pen.fill ?? ''} ${pen.line ?? ''} ${pen.minzoom ?? ''} ${name === 'admin_areas' ? text(feature.values, 'level') : ''}`;
        let stroke = strokes.get(key);
        if (!stroke) strokes.set(key, (stroke = { ...pen, path: new Path2D() }));
        trace(stroke.path, feature);
      }
    }
  }
  found.strokes = [...strokes.values()].sort((a, b) => a.order - b.order);
  return found;
}

/** Draws a tile on a pen whose units are the tile's; `size` is pixels to a unit. */
export function drawTile(pen: CanvasRenderingContext2D, tile: Painted, zoom: number, size: number): void {
  pen.lineCap = 'round';
  pen.lineJoin = 'round';
  for (const stroke of tile.strokes) {
    if (stroke.minzoom !== undefined && zoom < stroke.minzoom) continue;
    pen.globalAlpha = stroke.alpha ?? 1;
    if (stroke.fill) {
      pen.fillStyle = stroke.fill;
      pen.fill(stroke.path, 'evenodd');
    }
    if (stroke.line && stroke.width) {
      const width = stroke.width(zoom);
      if (width < 0.15) continue;
      pen.strokeStyle = stroke.line;
      pen.lineWidth = width / size;
      if (stroke.dash) pen.lineCap = 'butt';
      pen.setLineDash((stroke.dash ?? []).map((length) => length / size));
      pen.stroke(stroke.path);
      if (stroke.dash) pen.lineCap = 'round';
    }
  }
  pen.setLineDash([]);
  pen.globalAlpha = 1;
}
