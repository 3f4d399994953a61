/** What the app knows about drawing one collection: its layers, and the legend that goes with them. */

import type {
  ExpressionSpecification, FilterSpecification, LayerSpecification,
} from 'maplibre-gl';
import type { Collection, RasterInfo } from '../../shared/api';
import type { Language, Word } from '../../shared/i18n';

export type Group = 'disaster' | 'roads' | 'people' | 'images' | 'other' | 'base';

/** Numbers that divide a collection's values into classes, and the values one may choose among. */
export interface Sample {
  breaks: Record<string, number[]>;
  choices: string[];
  /** Sides of the meshes among the rows, metres, finest first. */
  meshes: number[];
}

export interface Context {
  collection: Collection;
  source: string;
  language: Language;
  /** Latitude of the data's centre: turns metres into pixels. */
  latitude: number;
  choice: string;
  time: string | null;
  sample: Sample | null;
  raster: RasterInfo | null;
  /** Names of all collections that are switched on, for layers that make room for others. */
  shown: ReadonlySet<string>;
}

/** A MapLibre layer and its height in the stack; the larger is drawn later. */
export interface Drawn {
  height: number;
  spec: LayerSpecification;
}

export interface Swatch {
  kind: 'fill' | 'line' | 'point' | 'image' | 'heading';
  label: string;
  colour?: string;
  outline?: string;
  casing?: string;
  width?: number;
  dash?: boolean;
  image?: string;
  hatch?: boolean;
}

export interface Choice {
  label: Word;
  property: string;
  /** An entry for everything at once. */
  all: boolean;
  options?: string[];
  filter: (value: string) => FilterSpecification;
  /** A second property that divides each option: `option/value`, as far as it has been seen. */
  scenarios?: string;
}

export interface Definition {
  group: Group;
  /** Place in the list, and whether it shows before anyone chooses. */
  order: number;
  visible: boolean;
  opacity?: number;
  minzoom?: number;
  /** Hides the others of its group: two choropleths at once say nothing. */
  alone?: boolean;
  /** Drawn from the one shared source of the base map. */
  base?: boolean;
  choice?: Choice;
  /** Property whose values are divided into classes. */
  classes?: string;
  /** Property that holds the hour, for collections that the time bar steps through. */
  hour?: string;
  layers: (context: Context) => Drawn[];
  legend: (context: Context) => Swatch[];
}

type Extra = {
  filter?: FilterSpecification;
  minzoom?: number;
  maxzoom?: number;
  layout?: Record<string, unknown>;
  paint?: Record<string, unknown>;
};

/** One layer of a collection; the id carries the collection so that clicks find their way back. */
export function drawn(
  context: Context, part: string, type: 'fill' | 'line' | 'circle' | 'symbol' | 'raster', height: number,
  extra: Extra,
): Drawn {
  const spec = {
    id: `${context.collection.id}:${part}`,
    type,
    source: context.source,
    ...(type === 'raster' ? {} : { 'source-layer': context.collection.id }),
    ...extra,
  };
  return { height, spec: spec as unknown as LayerSpecification };
}

export type Expression = ExpressionSpecification;
export const expression = (value: unknown): Expression => value as Expression;

/** A value that grows with the zoom between given stops. */
export function byZoom(...stops: [number, unknown][]): Expression {
  return expression(['interpolate', ['exponential', 1.5], ['zoom'], ...stops.flat()]);
}

/** A width in metres on the ground as pixels, at one latitude. */
export function metres(width: unknown, latitude: number): Expression {
  const perPixel = (zoom: number) =>
    (40_075_016.686 * Math.cos((latitude * Math.PI) / 180)) / (512 * 2 ** zoom);
  return expression([
    'interpolate', ['exponential', 2], ['zoom'],
    10, ['/', width, perPixel(10)], 24, ['/', width, perPixel(24)],
  ]);
}

export const get = (name: string): Expression => expression(['get', name]);
export const among = (name: string, ...values: string[]): FilterSpecification =>
  ['in', ['get', name], ['literal', values]] as unknown as FilterSpecification;
export const geometry = (...types: ('Point' | 'LineString' | 'Polygon')[]): FilterSpecification =>
  ['in', ['geometry-type'], ['literal', types.flatMap((type) => [type, `Multi${type}`])]] as unknown as FilterSpecification;
export const every = (...filters: (FilterSpecification | undefined)[]): FilterSpecification =>
  ['all', ...filters.filter(Boolean)] as unknown as FilterSpecification;

/** The name to write on the map in the reader's language. */
export function nameOf(language: Language, label = 'name'): Expression {
  return expression(
    language === 'en'
      ? ['coalesce', ['get', 'name_en'], ['get', label], '']
      : ['coalesce', ['get', label], ['get', 'name_en'], ''],
  );
}
