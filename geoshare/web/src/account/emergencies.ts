/** Emergencies for operators: one person proposes, another switches on, anybody of them switches off. */

import { get, send } from '../shared/api';
import { fill, h } from '../shared/dom';
import { language, moment, t } from '../shared/i18n';
import { areaMap, areaWords } from './emergency-area';

interface Item {
  id: string; state: string; tier: string; area: unknown; hours: number; reason: string; reason_ja: string;
  proposed: string; proposed_by: string; until: string | null;
}
interface Tier { title: string; title_ja?: string; emergency?: unknown }

const PATH = '/admin/emergencies';
const SHOWN = ['proposed', 'on'];

export class EmergenciesPanel {
  readonly element = h('section', { class: 'panel', id: 'emergencies' });
  private items: Item[] = [];
  private tiers: [string, Tier][] = [];

  constructor(private readonly own: string, private readonly failed: (error: unknown) => void) {}

  async load(): Promise<void> {
    const found = (await get<{ emergencies: Item[] }>(PATH)).emergencies;
    this.items = found.filter((item) => SHOWN.includes(item.state));
    const { tiers } = await get<{ tiers: Record<string, Tier> }>('/admin/tiers');
    this.tiers = Object.entries(tiers).filter(([, tier]) => tier.emergency);
  }

  render(): void {
    fill(this.element, h('h2', {}, t('emergencies')), h('p', { class: 'muted' }, t('emergencyTwo')),
      h('ul', { class: 'rows' }, ...this.items.map((item) => this.row(item))), this.proposing());
  }

  private row(item: Item): HTMLElement {
    const on = item.state === 'on';
    const mine = item.proposed_by.endsWith(` ${this.own}`);
    const when = on && item.until
      ? t('emergencyUntil', { when: moment(item.until, 'short') })
      : t('emergencyProposed', { when: moment(item.proposed, 'short'), hours: item.hours });
    return h('li', {},
      h('span', { class: 'what' }, (language() === 'ja' && item.reason_ja) || item.reason,
        h('span', { class: `badge${on ? '' : ' badge-off'}` }, t(on ? 'emergencyOn' : 'emergencyWaits')),
        h('small', {}, `${this.title(item.tier)} · ${areaWords(item.area)} · ${when}`)),
      !on && !mine && h('button', { type: 'button', class: 'button-main', onclick: () => void this.act(item, 'confirm', 'emergencyConfirm') }, t('emergencyConfirm')),
      h('button', { type: 'button', class: 'button-link danger', onclick: () => void this.act(item, 'end', 'emergencyEnd') }, t('emergencyEnd')),
      areaMap(item.id, item.area));
  }

  private title(name: string): string {
    const tier = this.tiers.find(([key]) => key === name)?.[1];
    return (language() === 'ja' ? tier?.title_ja : tier?.title) ?? name;
  }

  private proposing(): HTMLElement | null {
    if (!this.tiers.length) return null;
    const tier = h('select', { id: 'emergency-tier' }, ...this.tiers.map(([name]) => h('option', { value: name }, this.title(name))));
    const area = h('input', { type: 'text', id: 'emergency-area', required: true });
    const hours = h('input', { type: 'number', id: 'emergency-hours', min: '1', max: '2160', value: '24' });
    const reason = h('input', { type: 'text', id: 'emergency-reason', maxlength: '200', required: true });
    return h('details', { class: 'adding' }, h('summary', {}, t('emergencyPropose')),
      h('form', { onsubmit: (event: Event) => {
        event.preventDefault();
        void this.propose(tier.value, area.value.trim(), Number(hours.value), reason.value);
      } }, h('label', { for: 'emergency-tier' }, t('tiers'), tier), h('label', { for: 'emergency-area' }, t('emergencyArea'), area),
      h('label', { for: 'emergency-hours' }, t('emergencyHours'), hours), h('label', { for: 'emergency-reason' }, t('reason'), reason),
      h('button', { type: 'submit', class: 'button-main' }, t('emergencyPropose'))));
  }

  private async propose(tier: string, said: string, hours: number, reason: string): Promise<void> {
    await this.do(() => {
      const area: unknown = said.startsWith('{') ? JSON.parse(said) : said;
      return send('POST', PATH, { tier, area, hours, reason, reason_ja: reason });
    });
  }

  private async act(item: Item, what: string, word: 'emergencyConfirm' | 'emergencyEnd'): Promise<void> {
    if (!confirm(t('sure', { what: `${item.reason} – ${t(word)}` }))) return;
    await this.do(() => send('POST', `${PATH}/${encodeURIComponent(item.id)}/${what}`, { reason: t(word) }));
  }

  private async do(act: () => Promise<unknown>): Promise<void> {
    try {
      await act();
      await this.load();
      this.render();
    } catch (error) {
      this.failed(error);
    }
  }
}
