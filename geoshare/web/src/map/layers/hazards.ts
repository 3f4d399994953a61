/** Hazard zones in the colours of the official hazard maps: one legend per kind and scenario. */

import { hazardEdge } from '../../../../model/appearance.json';
import { language, t } from '../../shared/i18n';
import { DEPTHS, DEPTH_UNKNOWN, FINER_DEPTHS, SLIDES, TSUNAMI_DEPTHS, ZONE_SPECIAL, ZONE_WARNING } from './palettes';
import { among, drawn, every, expression, geometry, type Context, type Definition, type Swatch } from './types';

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
  ...Object.entries(SLIDES).flatMap(([movement, colours]) => [movement, colours[which]]), [ZONE_SPECIAL, ZONE_WARNING][which]];
const fits = (from: number, to: number | null) => ['all', ['==', low, from], ['==', high, to ?? 1000]];

const COLOUR = expression([
  'case',
  special, slide(0),
  warned, slide(1),
  ['<', low, 0], ['case', ['==', ['get', 'hazard_type'], 'landslide'], slide(1), DEPTH_UNKNOWN],
  ...[...TSUNAMI_DEPTHS, ...DEPTHS, ...FINER_DEPTHS].flatMap(([from, to, colour]) => [fits(from, to), colour]),
  // Other steps: the colour of the standard class that their lower bound lies in.
  ['step', low, DEPTHS[0]?.[2], ...DEPTHS.slice(1).flatMap(([from, , colour]) => [from, colour])],
]);

function depths(kind: string): Swatch[] {
  const steps = [...(kind === 'tsunami' ? TSUNAMI_DEPTHS : DEPTHS)].reverse();
  return steps.map(([from, to, colour]) => ({
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
    { kind: 'fill', colour: DEPTH_UNKNOWN, outline: '#8796a3', label: t('depthNotStated') },
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
        filter: every(geometry('Polygon'), chosen(context)), minzoom: 14, paint: { 'line-color': hazardEdge, 'line-width': 0.4 },
      }),
    ],
    legend,
  },
};
