/**
 * Warnings of the weather service as the officer sees them: what is in force first, by level and time; drills
 * and tests apart and without anything to do; what is over at the end.
 */

import { api, type Feature } from '../shared/api';
import { fill, h, icon, ICONS } from '../shared/dom';
import { coded, language, moment, t, titled, type Word } from '../shared/i18n';
import { idsOf, type Told } from '../shared/live';
import { notice, noticeError, type Kind } from '../shared/notice';
import { fetchSchema, schemaOf } from '../map/schemas';
import type { State } from '../map/state';
import { isOwn } from './own';
import type { Pane } from './pane';
import type { Editable } from './talk';

export interface Warning {
  id: string;
  name: string | null;
  hazard: string | null;
  severity: string | null;
  level: number | null;
  state: string;
  status: string;
  kind_name: string | null;
  condition: string | null;
  area_name: string | null;
  headline: string | null;
  office: string | null;
  reported_at: string | null;
  valid_to: string | null;
  municipality_codes: string[] | null;
}

const MOST = 500;
const TOLD = 5; // of what comes at once
const TSUNAMI = ['special', 'warning', 'advisory'];
const DRILLS = ['drill', 'test'];
/** Higher is worse; what has no level is weighed by its sort. */
const WEIGHT: Record<string, number> = { special: 5, danger: 4, warning: 3, advisory: 2 };

const isDrill = (warning: Warning): boolean => DRILLS.includes(warning.state) || warning.status !== 'normal';
const weight = (warning: Warning): number => warning.level ?? WEIGHT[warning.severity ?? ''] ?? 1;

/** Whether evacuation information can follow from it; the server decides. */
const canFollow = (warning: Warning): boolean => warning.state === 'in_force' && !isDrill(warning)
  && ((warning.level ?? 0) >= 3 || (warning.hazard === 'tsunami' && TSUNAMI.includes(warning.severity ?? '')));

export interface WarningActs {
  find: (geometry: GeoJSON.Geometry | null, id: string) => void;
  follow: (warning: Warning) => void;
  /** Opens the list of warnings. */
  look: () => void;
  changed: () => void;
}

export class WarningsPane implements Pane {
  readonly id = 'warnings';
  readonly element = h('div', { class: 'warnings' });
  private found: Feature[] = [];
  private known: Set<string> | null = null;

  /** `areas` says where evacuation information is edited; undefined where it is not. */
  constructor(private readonly state: State, private readonly areas: () => Editable | undefined, private readonly acts: WarningActs) {}

  title(): string {
    const entry = this.state.entry('warnings');
    return entry ? titled(entry.collection) : t('warnings');
  }

  features(): Feature[] {
    return this.found.filter(({ properties }) => ['in_force', 'reported', ...DRILLS].includes(String(properties?.state)));
  }

  told(told: Told): void {
    if (idsOf(told)?.length === 0) return;
    void this.refresh();
  }

  async refresh(): Promise<void> {
    try {
      const [page] = await Promise.all([api.items('warnings', { limit: String(MOST) }), fetchSchema('warnings')]);
      this.found = page.features;
    } catch (error) {
      noticeError(error, () => void this.refresh());
      return;
    }
    this.announce();
    this.render();
    this.acts.changed();
  }

  /** Says what has come since the desk was opened: once, all of it together, and a drill as a drill. */
  private announce(): void {
    const now = this.warnings().filter(({ state }) => ['in_force', ...DRILLS].includes(state));
    const key = ({ id, level, state }: Warning) => `${id} ${level} ${state}`;
    const { known } = this;
    this.known = new Set(now.map(key));
    const came = known === null ? [] : now.filter((warning) => !known.has(key(warning)) && weight(warning) >= 3);
    const drills = came.filter(isDrill);
    const real = came.filter((warning) => !isDrill(warning));
    this.tell(real.filter((warning) => this.own(warning)), 'warningCame', 'error');
    this.tell(real.filter((warning) => !this.own(warning)), 'warningNear', 'info');
    this.tell(drills, 'warningCame', 'info');
  }

  private tell(came: Warning[], word: Word, kind: Kind): void {
    if (!came.length) return;
    const lines = came.slice(0, TOLD).map((warning) => [
      `${isDrill(warning) ? t(markOf(warning)) : ''}${warning.area_name ?? ''}`, language() === 'ja' ? warning.kind_name : inEnglish(warning),
    ].filter(Boolean).join(' '));
    const more = came.length > TOLD ? [t('warningMore', { n: came.length - TOLD })] : [];
    notice([t(word, { n: came.length }), ...lines, ...more].join('\n'), kind, { word: 'warningLook', act: () => this.acts.look() });
  }

  private own(warning: Warning): boolean {
    const about = this.areas();
    return !about || isOwn(about, warning, this.found.find(({ id }) => id === warning.id)?.geometry ?? null);
  }

  private warnings(): Warning[] {
    return this.found.map(({ id, properties }) => ({ ...properties, id: String(id) }) as unknown as Warning)
      .sort((a, b) => weight(b) - weight(a) || String(b.reported_at).localeCompare(String(a.reported_at)) || a.id.localeCompare(b.id));
  }

  render(): void {
    const all = this.warnings();
    const drills = all.filter((warning) => isDrill(warning) && DRILLS.includes(warning.state));
    const real = all.filter((warning) => !isDrill(warning));
    const now = real.filter(({ state }) => state === 'in_force');
    const once = real.filter(({ state }) => state === 'reported');
    const over = real.filter(({ state }) => ['lifted', 'cancelled'].includes(state));
    const open = this.element.querySelector('details')?.open ?? false;
    fill(this.element,
      this.section('warningsNow', now, 'warningsNone'),
      once.length > 0 && this.section('warningsOnce', once),
      drills.length > 0 && h('section', { class: 'drills', 'aria-labelledby': 'warningsDrills' },
        h('h2', { id: 'warningsDrills' }, t('warningsDrills')), h('p', { class: 'muted' }, t('warningDrill')),
        h('ul', {}, ...drills.map((warning) => this.card(warning)))),
      over.length > 0 && h('details', { open }, h('summary', { id: 'warnings-over' }, t('warningsOver', { n: over.length })),
        h('ul', {}, ...over.map((warning) => this.card(warning)))));
  }

  private section(word: Word, warnings: Warning[], none?: Word): HTMLElement {
    return h('section', { 'aria-labelledby': word }, h('h2', { id: word }, t(word)),
      warnings.length ? h('ul', {}, ...warnings.map((warning) => this.card(warning))) : none && h('p', { class: 'muted' }, t(none)));
  }

  private card(warning: Warning): HTMLElement {
    const drill = isDrill(warning);
    const name = `${warning.area_name ?? ''} ${warning.kind_name ?? ''}`;
    const feature = this.found.find(({ id }) => id === warning.id);
    const over = ['lifted', 'cancelled'].includes(warning.state);
    return h('li', { class: `warning${drill ? ' warning-drill' : ''}${over ? ' warning-over' : ''}`, id: `warning-${warning.id}` },
      h('div', { class: 'warning-head' },
        h('span', { class: `level level-${warning.level ?? 'none'}` }, warning.level ? t('levelShort', { level: warning.level }) : t('levelNone')),
        h('div', {}, h('h3', {}, drill && h('strong', {}, t(markOf(warning))), language() === 'ja' ? warning.kind_name : inEnglish(warning)),
          h('p', { lang: 'ja' }, language() === 'ja' ? warning.area_name : `${warning.area_name ?? ''} ${warning.kind_name ?? ''}`))),
      h('p', { class: 'muted' }, [
        warning.reported_at && t('warningAt', { at: moment(warning.reported_at, 'short') }), warning.office,
        over && warning.valid_to && t('warningEnded', { at: moment(warning.valid_to, 'short') }),
      ].filter(Boolean).join(' · ')),
      warning.headline && h('p', { class: 'headline', lang: 'ja' }, warning.headline),
      warning.condition && warning.hazard === 'tsunami' && h('p', { lang: 'ja' }, warning.condition.replace(/\d{4}-\d\d-\d\dT[\d:]+\+09:00/, (at) => moment(at, 'short'))),
      h('div', { class: 'warning-tools' },
        feature?.geometry && h('button', {
          type: 'button', class: 'button-plain', id: `warning-find-${warning.id}`, 'aria-label': `${name}: ${t('deskOnMap')}`,
          onclick: () => this.acts.find(feature.geometry, warning.id),
        }, icon(ICONS.map, 18), t('deskOnMap')),
        canFollow(warning) && this.areas() && !this.own(warning) && h('p', { class: 'muted' }, t('warningElsewhere')),
        canFollow(warning) && this.areas() && this.own(warning) && h('button', {
          type: 'button', class: 'button-main', id: `follow-${warning.id}`, 'aria-label': `${name}: ${t('warningFollow')}`,
          onclick: () => this.acts.follow(warning),
        }, t('warningFollow'))));
  }
}

/** The service names its warnings in Japanese alone; what they are is said by the schema in both languages. */
function inEnglish({ hazard, severity, kind_name }: Warning): string {
  const { properties } = schemaOf('warnings') ?? { properties: {} };
  const said = [hazard && coded(properties.hazard, hazard), severity && coded(properties.severity, severity)];
  return said.filter(Boolean).join(': ') || (kind_name ?? '');
}

const markOf = (warning: Warning): Word => (warning.state === 'test' || warning.status === 'test' ? 'warningTest' : 'warningTraining');
