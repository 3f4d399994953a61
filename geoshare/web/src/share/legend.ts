/** What the signs and colours of the map mean: only of what is shared. */

import { ALERT, DEPTHS, SHELTER_STATES as STATES, ZONE_SPECIAL, ZONE_WARNING } from '../map/layers/palettes';
import { h } from '../shared/dom';
import { sign } from './signs';
import type { Share } from './state';
import { show, shown } from './words';

const picture = (kind: string): HTMLElement => {
  const image = h('canvas', { width: '60', height: '60', class: 'swatch', 'aria-hidden': 'true' });
  image.getContext('2d')?.drawImage(sign(kind, 2), 0, 0);
  return image;
};
const colour = (fill: string, edge: string): HTMLElement => h('i', { class: 'swatch flat', style: { background: fill, borderColor: edge } });
const item = (mark: HTMLElement, words: Node): HTMLElement => h('li', {}, mark, h('span', {}, words));
const metres = (from: number, to: number | null): Text => document.createTextNode(to === null ? `${from} m –` : `${from} – ${to} m`);

export function legend(share: Share): HTMLElement {
  const has = (name: string) => share.layers.includes(name);
  return h('details', { class: 'list' }, h('summary', {}, h('h2', {}, show('legend'))), h('ul', { class: 'legend' },
    ...(has('shelters') ? STATES.map((state) => item(picture(`shelter|${state}`), shown('shelters', state))) : []),
    has('evacuation_sites') && item(picture('site'), show('evacuation_sites')),
    has('water_points') && item(picture('water'), show('water_points')),
    ...(has('events') ? (['closed', 'restricted', 'planned'] as const).map((state) => item(picture(`road|${state}`), shown('roads', state))) : []),
    ...(has('evacuation_areas') || has('warnings') ? ([5, 4, 3] as const).map((level) => item(colour(`${ALERT[level]}38`, ALERT[level]), show('level', { n: level }))) : []),
    ...(has('hazard_zones') ? [
      h('li', { class: 'wide' }, h('strong', {}, show('hazard_zones'))),
      ...DEPTHS.map(([from, to, fill]) => item(colour(fill, '#a58f86'), metres(from, to))),
      item(colour(ZONE_SPECIAL, '#b0442c'), shown('hazards', 'landslide')), item(colour(ZONE_WARNING, '#b59f1a'), shown('hazards', 'landslide')),
    ] : [])));
}
