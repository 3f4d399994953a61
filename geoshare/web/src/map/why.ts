/** Which claim won and why, as a part of a feature's card: only where the reader may know. */

import { api, type PropertySchema, type Why } from '../shared/api';
import { fill, h } from '../shared/dom';
import { coded, language, moment, number, t, titled } from '../shared/i18n';
import { schemaOf } from './schemas';

/** A fold that is there once it is known that there is something to tell. */
export function whyOf(collection: string, id: string): HTMLElement {
  const element = h('details', { class: 'exposure', hidden: true });
  void api.why(collection, id).then((found) => {
    if (!found.claims.length) return;
    fill(element, h('summary', { id: 'why-open' }, t('whySo')), h('div', { class: 'exposure-body' }, ...told(collection, found)));
    element.hidden = false;
  }, () => undefined);
  return element;
}

function told(collection: string, found: Why): Node[] {
  const properties = schemaOf(collection)?.properties ?? {};
  const rows = Object.entries(found.properties).flatMap(([name, said]) => [
    h('dt', {}, titled(properties[name] ?? {}, name)),
    h('dd', {}, `${shown(said.value, properties[name])} — ${claim(found, said.claim)}. ${said.explanation[words()]}`),
  ]);
  const place = found.geometry && [
    h('dt', {}, t('whyPlace')), h('dd', {}, `${claim(found, found.geometry.claim)}. ${found.geometry.explanation[words()]}`),
  ];
  return [h('p', {}, found.summary[words()]), h('dl', { class: 'facts' }, ...(place ?? []), ...rows)];
}

function words(): 'ja' | 'en' {
  return language() === 'en' ? 'en' : 'ja';
}

/** A claim by its provider where that is told, else by its place, with accuracy and time. */
function claim(found: Why, place: number): string {
  const said = found.claims.find((item) => item.claim === place);
  const parts = [said?.provider ?? t('whyClaim', { number: number(place) })];
  if (said?.accuracy_m != null) parts.push(`${number(said.accuracy_m)} m`);
  const at = said?.observed_at ?? said?.received_at;
  if (at) parts.push(moment(at));
  return parts.join(', ');
}

function shown(value: unknown, schema: PropertySchema | undefined): string {
  const text = typeof value === 'object' ? JSON.stringify(value) : coded(schema, value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
