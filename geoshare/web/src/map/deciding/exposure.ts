/** What a clicked road lies in, as a part of its card. */

import { fill, h } from '../../shared/dom';
import { coded, drillMark, language, moment, named, number, t, titled } from '../../shared/i18n';
import { explain } from '../../shared/notice';
import { hazardName } from '../layers/disaster';
import { scenarioName } from '../layers/hazards';
import { fetchSchema, schemaOf } from '../schemas';
import { roadExposure, type Exposure } from './talk';

/** A fold that asks when it is first opened. */
export function exposureOf(segment: string, rainAt: () => string | null): HTMLElement {
  const body = h('div', { class: 'exposure-body', 'aria-live': 'polite' });
  let asked = false;
  return h('details', {
    class: 'exposure', ontoggle: (event: Event) => {
      if (asked || !(event.target as HTMLDetailsElement).open) return;
      asked = true;
      body.textContent = t('reading');
      Promise.all([roadExposure(segment, rainAt()), fetchSchema('events'), fetchSchema('structures')])
        .then(([found]) => fill(body, ...told(found)), (error: unknown) => { asked = false; body.textContent = explain(error); });
    },
  }, h('summary', { id: 'exposure-open' }, t('roadExposure')), body);
}

function told(found: Exposure): (Node | false)[] {
  const unknown = found.hazards.filter(({ state }) => state === 'unknown');
  return [
    ...found.hazards.filter(({ state }) => state === 'zones').map(({ hazard_type: kind, scenario, classes }) => h('section', {},
      h('h4', {}, scenario ? `${hazardName(kind)}${language() === 'ja' ? `（${scenarioName(scenario)}）` : ` (${scenarioName(scenario)})`}` : hazardName(kind)),
      h('dl', { class: 'facts' }, ...classes.flatMap((item) => [
        h('dt', {}, titled(item)), h('dd', {}, t('roadShare', { share: percent(item.share), m: number(Math.round(item.length_m)) })),
      ])))),
    unknown.length > 0 && h('p', { class: 'finder-note' },
      `${unknown.map(({ hazard_type: kind }) => hazardName(kind)).join(language() === 'ja' ? '・' : ', ')}: ${t('roadNoZone')}`),
    h('dl', { class: 'facts' },
      h('dt', {}, t('roadClosures')), h('dd', {}, ...listed(found.closures, (item) => closure(item))),
      h('dt', {}, t('roadStructures')), h('dd', {}, ...listed(found.structures, (item) => {
        const kind = coded(schemaOf('structures')?.properties.kind, item.kind) || String(item.kind);
        const shown = STRUCTURES[String(item.kind)]?.[language() === 'ja' ? 0 : 1] ?? kind;
        return [shown, named(item)].filter(Boolean).join(' ');
      })),
      h('dt', {}, t('roadRain')), h('dd', {}, rain(found))),
  ];
}

/** Whole per cent, and never all or nothing of what is only nearly so. */
function percent(share: number): string {
  const whole = Math.round(share * 100);
  if (whole === 0 && share > 0) return '<1';
  return whole === 100 && share < 1 ? '>99' : number(whole);
}

/** For those who see a road's own marks and not the structures. */
const STRUCTURES: Record<string, [string, string]> = {
  bridge: ['橋', 'Bridge'], tunnel: ['トンネル', 'Tunnel'], underpass: ['アンダーパス', 'Underpass'], overpass: ['高架', 'Overpass'],
};

function listed(part: { state: string; items: Record<string, unknown>[] }, words: (item: Record<string, unknown>) => string): Node[] {
  if (!part.items.length) return [document.createTextNode(part.state === 'unknown' ? t('figureUnknown') : t('roadNone'))];
  return part.items.map((item) => h('div', {}, words(item)));
}

function closure(item: Record<string, unknown>): string {
  const schema = schemaOf('events');
  const what = coded(schema?.properties.regulation_category, item.regulation_category ?? item.kind);
  const drill = drillMark(item);
  return `${drill}${what}${item.reason ? ` — ${String(item.reason)}` : ''}`;
}

function rain({ rain: found }: Exposure): string {
  if (found.state !== 'known' || found.value === null) return t('figureUnknown');
  return `${number(found.value)} ${found.unit ?? ''}${found.datetime ? ` (${moment(found.datetime, 'short')} JST)` : ''}`;
}
