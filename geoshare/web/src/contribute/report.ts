/** Step four: what became of the file, in words a provider can act on. */

import { saveRefused, type Collection, type Contribution, type Finding, type Message, type Report } from '../shared/api';
import { fill, h, icon, ICONS } from '../shared/dom';
import { language, number, t, titled, type Word } from '../shared/i18n';
import { noticeError } from '../shared/notice';

const STATUS: Record<Contribution['status'], Word> = {
  received: 'statusReceived', reading: 'statusReading', publishing: 'statusPublishing', done: 'statusDone', refused: 'statusRefused', checked: 'statusChecked',
};

export const words = (message: Message | undefined): string =>
  message ? (language() === 'ja' ? message.ja || message.en : message.en || message.ja) : '';

export class ReportView {
  readonly element = h('section', { class: 'panel report', 'aria-labelledby': 'report-title' });
  private sent = 0;
  private found: Contribution | null = null;

  constructor(private readonly file: File, private readonly collections: Collection[], private readonly another: () => void) {
    this.render();
  }

  /** While bytes travel. */
  sending(share: number): void {
    this.sent = share;
    const bar = this.element.querySelector('progress');
    if (bar && !this.found) bar.value = share * 0.5;
    else this.render();
  }

  show(found: Contribution): void {
    this.found = found;
    this.render();
  }

  render(): void {
    const { found } = this;
    const finished = over(found);
    const fine = found?.status === 'done' || (found?.status === 'checked' && !found.report?.found?.error);
    const progress = found ? 0.5 + 0.5 * (found.progress ?? 0) : this.sent * 0.5;
    const title = found ? t(STATUS[found.status]) : t('sending');
    fill(
      this.element,
      h('h2', { id: 'report-title', role: 'status', class: finished ? `state-${found?.status}` : '' },
        finished && icon(fine ? ICONS.check : ICONS.warn, 26), h('span', {}, title)),
      h('p', { class: 'muted' }, this.file.name),
      !finished && h('progress', { max: '1', value: String(progress), 'aria-label': title }),
      found?.status === 'refused' && h('p', { class: 'refusal' }, reasonOf(found), ' ', t('nothingChanged')),
      found?.status === 'checked' && h('p', { class: 'muted' }, t('nothingRecorded')),
      finished && found?.report && this.report(found.report, found),
      finished && h('div', { class: 'actions' },
        h('button', { type: 'button', class: 'button-plain', onclick: this.another }, t('otherFile')),
        found?.status === 'done' && h('a', { class: 'button-main', id: 'see-on-map', href: mapLink(found.report, this.collections) }, icon(ICONS.map), t('seeOnMap'))),
    );
  }

  private report(report: Report, found: Contribution): HTMLElement {
    const repairs = Object.values(report.repairs ?? {});
    const repaired = repairs.reduce((sum, repair) => sum + repair.count, 0);
    const taken = Object.entries(report.taken ?? {});
    const withdrawn = Object.values(report.withdrawn ?? {}).reduce((sum, count) => sum + count, 0);
    const tile = (word: Word, value: number, kind = '') =>
      h('div', { class: `tile ${kind}` }, h('dt', {}, t(word)), h('dd', {}, number(value)));
    return h('div', {},
      h('dl', { class: 'tiles' },
        tile('rowsRead', report.rows_read ?? 0), tile(found.status === 'checked' ? 'rowsUsable' : 'rowsTaken', taken.reduce((sum, [, count]) => sum + count, 0), 'ok'),
        tile('rowsRepaired', repaired, repaired ? 'note' : ''), tile('rowsRefused', report.refused ?? 0, report.refused ? 'bad' : ''),
        withdrawn > 0 && tile(found.status === 'checked' ? 'wouldBeWithdrawn' : 'rowsWithdrawn', withdrawn, 'note')),
      taken.length > 0 && h('p', {}, taken.map(([name, count]) => {
        const collection = this.collections.find((item) => item.id === name);
        return `${collection ? titled(collection, name) : name}: ${number(count)}`;
      }).join('　')),
      h('p', { class: 'muted' }, [report.format, report.mapping, report.datum?.horizontal].filter(Boolean).join(' ・ ')),
      findingsOf(report),
      this.list('notes', (report.notes ?? []).map((note) => [words(note)])),
      this.list('repairs', repairs.map((repair) => [
        `${words(repair.message)} — ${t('times', { n: number(repair.count) })}`,
        repair.examples?.length ? `${t('example')} ${repair.examples.slice(0, 3).join(' ／ ')}` : '',
      ])),
      this.refusals(report, found));
  }

  private list(word: Word, lines: string[][]): HTMLElement | false {
    if (!lines.length) return false;
    return h('section', {}, h('h3', {}, t(word)), h('ul', { class: 'lines' },
      ...lines.map(([main, second]) => h('li', {}, main, second && h('span', { class: 'muted' }, h('br'), second)))));
  }

  private refusals(report: Report, found: Contribution): HTMLElement | false {
    const rows = report.refusals ?? [];
    if (!report.refused && !rows.length) return false;
    const shown = rows.slice(0, 50);
    const rest = (report.refused ?? rows.length) - shown.length;
    return h('section', {}, h('h3', {}, t('refusals')),
      h('button', {
        type: 'button', class: 'button-plain', id: 'save-refused',
        onclick: () => void saveRefused(found.id).catch((error: unknown) => noticeError(error)),
      }, icon(ICONS.file), t('downloadRefused')),
      shown.length > 0 && h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': t('refusals') }, h('table', {},
        h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, t('row')), h('th', { scope: 'col' }, t('reason')))),
        h('tbody', {}, ...shown.map((refusal) => h('tr', {}, h('th', { scope: 'row' }, String(refusal.row)), h('td', {}, words(refusal.message))))))),
      rest > 0 && h('p', { class: 'muted' }, t('andMore', { n: number(rest) })));
  }
}

export const over = (found: Contribution | null): boolean =>
  found !== null && ['done', 'refused', 'checked'].includes(found.status);

const SEVERITY: Record<Finding['severity'], Word> = { error: 'severityError', warning: 'severityWarning', info: 'severityInfo' };
const MOST_FINDINGS = 100;

/** What the checks found: how grave, which rule, where, and what it means. */
function findingsOf(report: Report): HTMLElement | false {
  const rows = (report.findings ?? []).slice(0, MOST_FINDINGS);
  if (!rows.length) return false;
  const all = Object.values(report.found ?? {}).reduce((sum, count) => sum + (count ?? 0), 0);
  const counts = (Object.keys(SEVERITY) as Finding['severity'][])
    .filter((severity) => report.found?.[severity])
    .map((severity) => `${t(SEVERITY[severity])} ${number(report.found?.[severity] ?? 0)}`);
  return h('section', { class: 'findings' }, h('h3', {}, t('findings')), h('p', { class: 'muted' }, counts.join('　')),
    h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': t('findings') }, h('table', {},
      h('thead', {}, h('tr', {}, ...(['severity', 'findingWhat', 'findingPlace'] as const).map((word) => h('th', { scope: 'col' }, t(word))))),
      h('tbody', {}, ...rows.map((finding) => h('tr', {},
        h('th', { scope: 'row', class: `severity-${finding.severity}` }, t(SEVERITY[finding.severity])),
        h('td', {}, language() === 'ja' ? finding.ja : finding.en, h('br'), h('code', {}, finding.rule)),
        h('td', {}, finding.feature, finding.lon_lat ? h('span', { class: 'muted' }, h('br'), `${finding.lon_lat[1].toFixed(6)}, ${finding.lon_lat[0].toFixed(6)}`) : false)))))),
    all > rows.length && h('p', { class: 'muted' }, t('andMore', { n: number(all - rows.length) })));
}

/** Why it was refused, and what is allowed instead. */
function reasonOf(found: Contribution): string {
  const japanese = language() === 'ja';
  const { error } = found;
  if (!error) return (japanese && found.message_ja) || found.message || '';
  const allowed = (japanese && error.allowed_ja) || error.allowed;
  return `${(japanese && error.message_ja) || error.message || ''}${allowed ? ` (${allowed})` : ''}`;
}

/** Opens the map with what was just taken in switched on. */
function mapLink(report: Report | null | undefined, collections: Collection[]): string {
  const taken = Object.keys(report?.taken ?? {});
  const box = collections.find((item) => taken.includes(item.id))?.extent?.spatial?.bbox?.[0];
  const parts = [`layers=${[...new Set(['admin_areas', 'water', 'segments', 'places', ...taken])].join(',')}`, `lang=${language()}`];
  if (box?.length === 4) {
    const [west, south, east, north] = box as [number, number, number, number];
    const zoom = Math.min(15, Math.log2(360 / Math.max(east - west, (north - south) * 1.3, 0.002)) + 0.5);
    parts.unshift(`map=${zoom.toFixed(2)}/${((south + north) / 2).toFixed(5)}/${((west + east) / 2).toFixed(5)}`);
  }
  return `/map#${parts.join('&')}`;
}
