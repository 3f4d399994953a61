/** Hazard zones in the colours of the official hazard maps: one legend per kind and scenario. */

import { language, t } from '../../shared/i18n';
import { among, drawn, every, expression, geometry, type Context, type Definition, type Swatch } from './types';

/**
 * Depth of water: MLIT, 水害ハザードマップ作成の手引き (2023), standard and detailed legend, which is also that
 * of storm surges and inland floods; for tsunamis with the steps of 津波浸水想定 (A40). The colour is that of
 * the first entry that a zone's lower and upper bound (metres) fit.
 */
const DEPTHS: readonly { from: number; to: number | null; colour: string; kinds: 'all' | 'tsunami' | 'water' }[] = [
  { from: 0, to: 0.3, colour: '#ffffb3', kinds: 'tsunami' },
  { from: 0.3, to: 1, colour: '#f8e1a6', kinds: 'tsunami' },
  { from: 1, to: 2, colour: '#ffd8c0', kinds: 'tsunami' },
  { from: 2, to: 5, colour: '#ffb7b7', kinds: 'tsunami' },
  { from: 0, to: 0.5, colour: '#f7f5a9', kinds: 'water' },
  { from: 0.5, to: 3, colour: '#ffd8c0', kinds: 'water' },
  { from: 3, to: 5, colour: '#ffb7b7', kinds: 'water' },
  { from: 5, to: 10, colour: '#ff9191', kinds: 'all' },
  { from: 10, to: 20, colour: '#f285c9', kinds: 'all' },
  { from: 20, to: null, colour: '#dc7adc', kinds: 'all' },
];
/** Steps of the detailed legend that do not show in a list of their own. */
const FINER = [[0.5, 1, '#f8e1a6'], [1, 3, '#ffd8c0'], [0.3, 0.5, '#f7f5a9']] as const;
const NOT_STATED = '#c9d6df';

/** Landslides by movement: special zone, zone; 土砂災害警戒区域 on 重ねるハザードマップ and MLIT's PLATEAU VIEW. */
const SLIDES: Record<string, readonly [string, string]> = {
  steep_slope: ['#fb684c', '#ffed4c'],
  debris_flow: ['#c04c63', '#edd86f'],
  landslide: ['#ca4c95', '#ffb74c'],
};
const ANY_SLIDE = SLIDES.steep_slope as readonly [string, string];

export const KINDS = ['flood', 'inland_flood', 'storm_surge', 'tsunami', 'landslide'] as const;
const SCENARIOS: Record<string, readonly [string, string]> = {
  L1: ['計画規模', 'planned scale'],
  L2: ['想定最大規模', 'largest conceivable'],
  steep_slope: ['急傾斜地の崩壊', 'steep slopes'],
  debris_flow: ['土石流', 'debris flows'],
  landslide: ['地滑り', 'landslides'],
};

/** What a scenario is called; its own name where it has none. */
export function scenarioName(scenario: string): string {
  return SCENARIOS[scenario]?.[language() === 'ja' ? 0 : 1] ?? scenario;
}

/** A kind and a scenario as one value of a chooser, `flood/L2`; a kind alone is all of its scenarios. */
export function kindAndScenario(choice: string): [string, string | null] {
  const [kind = '', scenario = ''] = choice.split('/');
  return [kind, scenario || null];
}

const low = expression(['to-number', ['coalesce', ['get', 'depth_min_m'], -1]]);
const high = expression(['to-number', ['coalesce', ['get', 'depth_max_m'], 1000]]);
const zone = expression(['coalesce', ['get', 'zone_class'], '']);
const special = expression(['in', zone, ['literal', ['special_warning', 'special_warning_planned']]]);
const warned = expression(['in', zone, ['literal', ['warning', 'warning_planned']]]);
const slide = (which: 0 | 1) => ['match', ['coalesce', ['get', 'scenario'], ''],
  ...Object.entries(SLIDES).flatMap(([movement, colours]) => [movement, colours[which]]), ANY_SLIDE[which]];
const fits = (from: number, to: number | null) => ['all', ['==', low, from], ['==', high, to ?? 1000]];

const COLOUR = expression([
  'case',
  special, slide(0),
  warned, slide(1),
  ['<', low, 0], ['case', ['==', ['get', 'hazard_type'], 'landslide'], slide(1), NOT_STATED],
  ...DEPTHS.flatMap(({ from, to, colour }) => [fits(from, to), colour]),
  ...FINER.flatMap(([from, to, colour]) => [fits(from, to), colour]),
  // Other steps: the colour of the standard class that their lower bound lies in.
  ['step', low, '#f7f5a9', 0.5, '#ffd8c0', 3, '#ffb7b7', 5, '#ff9191', 10, '#f285c9', 20, '#dc7adc'],
]);

function depths(kind: string): Swatch[] {
  const of = kind === 'tsunami' ? 'tsunami' : 'water';
  const steps = DEPTHS.filter(({ kinds }) => kinds === 'all' || kinds === of);
  return steps.reverse().map(({ from, to, colour }) => ({
    kind: 'fill', colour, outline: '#a58f86', label: to === null ? t('depthFrom', { from }) : from === 0 ? t('depthBelow', { to }) : t('depthBetween', { from, to }),
  }));
}

function slides(scenario: string | null): Swatch[] {
  const movements = Object.keys(SLIDES).filter((movement) => scenario === null || movement === scenario);
  return movements.flatMap((movement): Swatch[] => {
    const [worse, other] = SLIDES[movement] as readonly [string, string];
    const name = scenarioName(movement);
    return [
      { kind: 'fill', colour: worse, outline: '#b0442c', label: `${name}: ${t('specialZone')}` },
      { kind: 'fill', colour: other, outline: '#b59f1a', label: `${name}: ${t('warningZone')}` },
    ];
  });
}

function legend(context: Context): Swatch[] {
  const [kind, scenario] = kindAndScenario(context.choice);
  const water = kind !== 'landslide';
  const land = kind === 'landslide' || kind === '';
  return [
    ...(water ? [{ kind: 'heading', label: kind ? t('depth') : t('depthWater') } as Swatch, ...depths(kind)] : []),
    ...(water && !kind ? [{ kind: 'heading', label: t('depthTsunami') } as Swatch, ...depths('tsunami').slice(3)] : []),
    ...(land ? [{ kind: 'heading', label: t('landslideZones') } as Swatch, ...slides(scenario)] : []),
    { kind: 'heading', label: t('notKnown') },
    { kind: 'fill', colour: NOT_STATED, outline: '#8796a3', label: t('depthNotStated') },
    { kind: 'fill', colour: 'transparent', outline: '#8796a3', dash: true, label: t('notSurveyed') },
  ];
}

function chosen(context: Context) {
  const [kind, scenario] = kindAndScenario(context.choice);
  return every(kind ? among('hazard_type', kind) : undefined, scenario ? among('scenario', scenario) : undefined);
}

export const HAZARD_LAYERS: Record<string, Definition> = {
  hazard_zones: {
    group: 'disaster', order: 6, visible: true, opacity: 0.75,
    choice: {
      label: 'filterHazard', property: 'hazard_type', all: true, options: [...KINDS],
      filter: (value) => among('hazard_type', kindAndScenario(value)[0]),
      scenarios: 'scenario',
    },
    layers: (context) => [
      drawn(context, 'area', 'fill', 300, {
        filter: every(geometry('Polygon'), chosen(context)), layout: { 'fill-sort-key': low }, paint: { 'fill-color': COLOUR },
      }),
      drawn(context, 'edge', 'line', 301, {
        filter: every(geometry('Polygon'), chosen(context)), minzoom: 14, paint: { 'line-color': '#8a6d62', 'line-width': 0.4 },
      }),
    ],
    legend,
  },
};
