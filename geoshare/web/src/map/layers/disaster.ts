/** Shelters, hazards, closures and evacuation areas, in the colours their readers are taught. */

import { facilityInk, ink } from '../../../../model/appearance.json';
import { names, warnedOf } from '../../../../model/hazards.json';
import { LETTERING } from '../../shared/fonts';
import { drillMark, language, t, type Word } from '../../shared/i18n';
import { ADVISORY, ALERT, EVENT as EVENT_COLOURS, LEVEL_OTHER, LEVEL_UNKNOWN, SHELTER_STATES, type ShelterState } from './palettes';
import { haloPaint } from './base';
import { expiredNow, now } from '../../shared/standing';
import { ascending, japanTime } from './times';
import { among, byZoom, drawn, every, expression, geometry, nameOf, type Context, type Definition, type Drawn, type Swatch } from './types';

export const HAZARDS = [
  'flood', 'landslide', 'storm_surge', 'earthquake', 'tsunami', 'great_fire', 'inland_flood', 'eruption',
] as const;

const MINUTE_MS = 60_000;
const flag = (hazard: string) => ['case', ['==', ['get', `hazard_${hazard}`], true], '1', '0'];

interface Place { offset: unknown; name: unknown }

/** Where one place is site and shelter, the two signs stand side by side and the name is written once. */
function beside(context: Context): Place {
  const name = nameOf(context.language);
  if (!context.shown.has('shelters')) return { offset: [0, -15], name };
  const both = ['==', ['get', 'also_designated_shelter'], true];
  return {
    offset: expression(['case', both, ['literal', [-29, -15]], ['literal', [0, -15]]]),
    name: ['case', both, '', name],
  };
}

/** Icon and name in one layer: a name gives way to every icon, but never to its own. */
function facility(
  context: Context, image: unknown, height: number, place: Place = { offset: [0, -15], name: nameOf(context.language) }, dimmed?: unknown,
): Drawn[] {
  const opacity = dimmed ? expression(['case', dimmed, 1, 0.25]) : 1;
  return [
    drawn(context, 'icon', 'symbol', height, {
      minzoom: 9,
      layout: {
        'icon-image': image, 'icon-anchor': 'top', 'icon-offset': place.offset,
        'icon-size': byZoom([9, 0.35], [13, 0.7], [16, 1]),
        'icon-allow-overlap': true, 'icon-padding': 0,
        'symbol-sort-key': expression(['-', 0, ['coalesce', ['get', 'max_capacity'], 0]]),
        'text-field': expression(['step', ['zoom'], '', 14.5, place.name]),
        'text-font': LETTERING, 'text-size': byZoom([13, 11], [18, 14]),
        'text-variable-anchor-offset': ['left', [1.5, 0], 'right', [-1.5, 0], 'bottom', [0, -1.4]],
        'text-max-width': 9, 'text-justify': 'auto', 'text-optional': true,
      },
      paint: { ...haloPaint, 'text-color': facilityInk, 'text-opacity': opacity, 'icon-opacity': opacity },
    }),
  ];
}

const status = expression(['coalesce', ['get', 'status'], 'unknown']);
const CLOSED = among('regulation_category', 'closedWeather', 'closedConstruction', 'closedHeavyVehicle', 'closedWinter');
/** As of the minute in which a layer is made, so that the style of a map that stands still stays the same. */
const minute = () => Math.floor(now() / MINUTE_MS) * MINUTE_MS;
/** What was ended, and what has passed the end it was given: it is drawn no more. */
const OVER = () => expression(['any', ['in', ['coalesce', ['get', 'status'], ''], ['literal', ['ended', 'cancelled', 'lifted']]], ['==', ['get', 'kind'], 'lifted'], expiredNow(minute())]);
const LASTS = () => expression(['!', OVER()]);
const inForce = expression(['!', ['in', ['coalesce', ['get', 'status'], 'active'], ['literal', ['planned', 'drill']]]]);
const full = expression(['any', CLOSED, ['all', ['!', ['has', 'regulation_category']], ['in', ['coalesce', ['get', 'kind'], ''], ['literal', ['closure', 'flood']]]]]);
const EVENT = expression(['case', ['!', inForce], EVENT_COLOURS.planned, full, EVENT_COLOURS.closed, EVENT_COLOURS.restricted]);
const EVENT_IMAGE = expression(['case', ['!', inForce], 'event|planned', full, 'event|closed', 'event|restricted']);

const LEVEL = expression(['match', ['to-number', ['coalesce', ['get', 'level'], 0]], 3, ALERT[3], 4, ALERT[4], 5, ALERT[5], LEVEL_OTHER]);

const DRILL = expression(['in', ['coalesce', ['get', 'state'], ['get', 'status'], ''], ['literal', ['drill', 'test']]]);
const REAL = expression(['!', DRILL]);
const TOLD = () => expression(['all', REAL, LASTS()]);
/** Faint: what lies below has a legend of its own, and several warnings lie on one another. */
const WARNED = 0.05;
/** The gravest is named first, of those the newest. */
const GRAVEST = expression(['-', 0, ['+', ['*', ['to-number', ['coalesce', ['get', 'level'], 0]], 1e13], ascending('reported_at')]]);
/** Warnings that were lifted or cancelled are drawn no more. */
const IN_FORCE = expression(['!', ['in', ['coalesce', ['get', 'state'], ''], ['literal', ['lifted', 'cancelled', 'drill', 'test']]]]);
const WARNING = expression([
  'match', ['to-number', ['coalesce', ['get', 'level'], 0]], 2, ADVISORY, 3, ALERT[3], 4, ALERT[4], 5, ALERT[5], LEVEL_UNKNOWN,
]);

/** Since when, on a line of its own: date and time of the day in Japan. */
function since(context: Context, name: string, [before, after]: readonly [string, string]): unknown {
  return ['case', ['has', name], ['concat', `\n${before}`, japanTime(name, context.language), after], ''];
}

const ISSUED = { ja: ['', ' 発表'], en: ['issued ', ''] } as const;
const ORDERED = { ja: ['', ' 発令'], en: ['issued ', ''] } as const;

/** What people are told to do, and since when. */
function orderName(context: Context): unknown {
  const level = ['to-number', ['coalesce', ['get', 'level'], 0]];
  return ['concat', ['match', level, 3, t('level3'), 4, t('level4'), 5, t('level5'), ''], since(context, 'valid_from', ORDERED[context.language])];
}

/** What is written before the name of what is not real. */
function drillWords(): unknown {
  return ['match', ['coalesce', ['get', 'state'], ['get', 'status'], ''], 'drill', drillMark({ state: 'drill' }), 'test', drillMark({ state: 'test' }), ''];
}

/** A name without the Japanese mark that the record gives it. */
const unmarked = (name: unknown): unknown => ['case', ['in', ['slice', name, 0, 4], ['literal', ['【訓練】', '【試験】']]], ['slice', name, 4], name];

/** Drills of what has no names on the map are written there all the same: nobody takes them for real. */
function drillName(context: Context, height: number, placed: Record<string, unknown>): Drawn {
  return drawn(context, 'drill-name', 'symbol', height, {
    filter: DRILL as never, minzoom: 9,
    layout: {
      'text-field': expression(['concat', drillWords(), unmarked(nameOf(context.language))]), 'text-font': LETTERING, 'text-size': 12, 'text-max-width': 10, ...placed,
    },
    paint: { ...haloPaint, 'text-color': ink },
  });
}

/** What a warning is called on the map; a drill is called that first of all. */
function warningName(context: Context): unknown {
  const mark = drillWords();
  const name = ['coalesce', ['get', 'kind_name'], ''];
  const level = ['case', ['has', 'level'], ['concat', 'Level ', ['to-string', ['get', 'level']], ' '], ''];
  const english = ['match', ['coalesce', ['get', 'hazard'], ''], ...Object.entries(warnedOf).flat(), name];
  return ['concat', mark, ...(context.language === 'ja' ? [name] : [level, english]), since(context, 'reported_at', ISSUED[context.language])];
}

export const DISASTER_LAYERS: Record<string, Definition> = {
  evacuation_sites: {
    group: 'disaster', order: 1, visible: true,
    choice: {
      label: 'filterHazard', property: 'hazard', all: true, options: [...HAZARDS],
      filter: () => ['literal', true] as never,
    },
    layers: (context) => facility(
      context,
      expression([
        'step', ['zoom'], 'site|00000000|',
        14, ['concat', 'site|', ...HAZARDS.map(flag), '|', context.language],
      ]),
      1000,
      beside(context),
      context.choice ? ['==', ['get', `hazard_${context.choice}`], true] : undefined,
    ),
    legend: (context) => [
      { kind: 'image', image: `site|00000000|${context.language}`, label: t('siteLegend') },
      { kind: 'heading', label: t('siteHazards') },
      ...HAZARDS.map((hazard): Swatch => ({ kind: 'image', image: `hazard|${hazard}|${context.language}`, label: hazardName(hazard) })),
    ],
  },
  shelters: {
    group: 'disaster', order: 2, visible: true,
    layers: (context) => facility(context, expression(['concat', 'shelter|', status]), 1001),
    legend: () => SHELTER_STATES.map((state): Swatch => ({
      kind: 'image', image: `shelter|${state}`, label: t(SHELTER_WORDS[state]),
    })),
  },
  events: {
    group: 'disaster', order: 3, visible: true,
    layers: (context) => [
      drawn(context, 'area', 'fill', 440, { filter: every(geometry('Polygon'), LASTS() as never), paint: { 'fill-color': EVENT, 'fill-opacity': 0.25 } }),
      drawn(context, 'casing', 'line', 441, {
        filter: every(geometry('LineString', 'Polygon'), LASTS() as never), layout: { 'line-cap': 'round', 'line-join': 'round' },
        paint: { 'line-color': '#ffffff', 'line-width': byZoom([10, 4], [16, 10]) },
      }),
      drawn(context, 'line', 'line', 442, {
        filter: every(geometry('LineString', 'Polygon'), LASTS() as never), layout: { 'line-cap': 'round', 'line-join': 'round' },
        paint: { 'line-color': EVENT, 'line-width': byZoom([10, 2.4], [16, 6.5]) },
      }),
      drawn(context, 'stripes', 'line', 443, {
        filter: every(geometry('LineString', 'Polygon'), every(LASTS() as never, full as never)),
        paint: { 'line-color': '#ffffff', 'line-width': byZoom([10, 1], [16, 2.6]), 'line-dasharray': [2, 2.4] },
      }),
      drawn(context, 'sign', 'symbol', 1010, {
        filter: every(geometry('LineString'), LASTS() as never), minzoom: 11,
        layout: { 'symbol-placement': 'line-center', 'icon-image': EVENT_IMAGE, 'icon-rotation-alignment': 'viewport', 'icon-allow-overlap': true, 'icon-size': byZoom([11, 0.6], [16, 1]) },
      }),
      drawn(context, 'point', 'symbol', 1011, {
        filter: every(geometry('Point', 'Polygon'), LASTS() as never),
        layout: { 'icon-image': EVENT_IMAGE, 'icon-allow-overlap': true, 'icon-size': byZoom([10, 0.55], [16, 1]) },
      }),
      drillName(context, 1012, { 'text-anchor': 'top', 'text-offset': [0, 1.2] }),
    ],
    legend: () => [
      { kind: 'image', image: 'event|closed', label: t('closureFull') },
      { kind: 'image', image: 'event|restricted', label: t('closurePart') },
      { kind: 'image', image: 'event|planned', label: t('closurePlanned') },
    ],
  },
  evacuation_areas: {
    group: 'disaster', order: 4, visible: true,
    layers: (context) => [
      // Neither what is over nor what is a drill looks like what people are told to do now.
      drawn(context, 'area', 'fill', 330, { filter: TOLD() as never, paint: { 'fill-color': LEVEL, 'fill-opacity': 0.22 } }),
      drawn(context, 'edge', 'line', 331, { filter: TOLD() as never, paint: { 'line-color': LEVEL, 'line-width': byZoom([10, 1.5], [16, 4]) } }),
      drawn(context, 'drill', 'fill', 328, { filter: every(DRILL as never, LASTS() as never), paint: { 'fill-pattern': 'hatch', 'fill-opacity': 0.4 } }),
      drawn(context, 'drill-edge', 'line', 329, {
        filter: every(DRILL as never, LASTS() as never), paint: { 'line-color': LEVEL_UNKNOWN, 'line-width': 2, 'line-dasharray': [3, 2] },
      }),
      drillName(context, 1019, {}),
      drawn(context, 'name', 'symbol', 1021, {
        filter: TOLD() as never, minzoom: 11,
        layout: {
          'text-field': expression(orderName(context) as never), 'text-font': LETTERING, 'text-size': byZoom([11, 11], [14, 13]),
          'text-max-width': 14, 'text-padding': 20,
        },
        paint: { ...haloPaint, 'text-color': ink },
      }),
    ],
    legend: () => [
      ...([5, 4, 3] as const).map((level): Swatch => ({
        kind: 'fill', colour: `${ALERT[level]}40`, outline: ALERT[level], label: t(`level${level}` as Word),
      })),
      { kind: 'fill', colour: '#ffffff', outline: LEVEL_UNKNOWN, hatch: true, label: t('evacuationDrill') },
    ],
  },
  warnings: {
    group: 'disaster', order: 5, visible: true,
    layers: (context) => [
      drawn(context, 'area', 'fill', 320, { filter: IN_FORCE as never, paint: { 'fill-color': WARNING, 'fill-opacity': WARNED } }),
      // What is real lies above what is a drill.
      drawn(context, 'drill', 'fill', 317, { filter: DRILL as never, paint: { 'fill-pattern': 'hatch', 'fill-opacity': 0.15 } }),
      drawn(context, 'edge', 'line', 322, {
        filter: IN_FORCE as never, paint: { 'line-color': WARNING, 'line-width': byZoom([8, 1.5], [16, 4]) },
      }),
      drawn(context, 'drill-edge', 'line', 318, {
        filter: DRILL as never, paint: { 'line-color': LEVEL_UNKNOWN, 'line-width': 2, 'line-dasharray': [3, 2] },
      }),
      drawn(context, 'name', 'symbol', 1020, {
        filter: IN_FORCE as never,
        layout: {
          'symbol-sort-key': GRAVEST, 'text-field': expression(warningName(context) as never), 'text-font': LETTERING, 'text-size': byZoom([8, 11], [14, 14]),
          'text-max-width': 12, 'text-padding': 60,
        },
        paint: { ...haloPaint, 'text-color': ink },
      }),
      // Below the name of what is real there, so that a hatched area is never without the word.
      drawn(context, 'drill-name', 'symbol', 1018, {
        filter: DRILL as never,
        layout: {
          'text-field': expression(warningName(context) as never), 'text-font': LETTERING, 'text-size': byZoom([8, 11], [14, 14]),
          'text-max-width': 12, 'text-padding': 30, 'text-anchor': 'top', 'text-offset': [0, 1.6],
        },
        paint: { ...haloPaint, 'text-color': '#4d5c68' },
      }),
    ],
    legend: () => [
      ...([5, 4, 3] as const).map((level): Swatch => ({
        kind: 'fill', colour: `${ALERT[level]}24`, outline: ALERT[level], label: t('warningLevel', { level }),
      })),
      { kind: 'fill', colour: `${ADVISORY}24`, outline: ADVISORY, label: t('warningLevel', { level: 2 }) },
      { kind: 'fill', colour: `${LEVEL_UNKNOWN}24`, outline: LEVEL_UNKNOWN, label: t('warningNoLevel') },
      { kind: 'fill', colour: '#ffffff', outline: LEVEL_UNKNOWN, hatch: true, label: t('warningDrill') },
    ],
  },
};

/** What a state of a shelter is called. */
export const shelterWord = (state: ShelterState): Word => (state === 'unknown' ? 'shelterUnknown' : SHELTER_WORDS[state]);

/** What people do at an alert level; empty where there is none. */
export const levelName = (level: number): string => (level === 3 || level === 4 || level === 5 ? t(`level${level}`) : '');

/** What a warning is called in the reader's language. */
export function warningTitle(said: Readonly<Record<string, unknown>>): string {
  const english = Object.entries(warnedOf).find(([hazard]) => hazard === said.hazard)?.[1];
  const own = String(said.kind_name ?? said.name ?? '');
  if (language() === 'ja' || !english) return own;
  return said.level ? `Level ${String(said.level)} ${english}` : english;
}

const SHELTER_WORDS = {
  open: 'shelterOpen', full: 'shelterFull', preparing: 'shelterPreparing', not_open: 'shelterNotOpen', closed: 'shelterClosed', unknown: 'shelterLegend',
} as const satisfies Record<string, Word>;

/** The short name of a hazard in the current language. */
export function hazardName(hazard: string): string {
  const said = Object.entries(names).find(([name]) => name === hazard)?.[1];
  return said?.[language() === 'ja' ? 0 : 1] ?? hazard;
}
