/** The side of the desk that is read: what is edited, in tabs, and the list of the one that is open. */

import { fill, h, icon, type Child } from '../shared/dom';
import { coded, t, titled } from '../shared/i18n';
import type { Desk } from './desk';
import { row, STATES, type Acts } from './list';
import { TOOLS } from './tools';

const MOST = 100;

function news(): HTMLElement {
  return h('span', { class: 'news', hidden: true }, h('span', { class: 'visually-hidden' }, t('deskNews')));
}

export class Panel {
  readonly element = h('section', { class: 'desk-panel' });

  constructor(private readonly desk: Desk, private readonly acts: Acts, private readonly add: () => void, private readonly enterKey: () => void) {
    this.render();
    desk.opened.on(() => this.render());
    desk.changed.on(() => {
      // Somebody who is typing keeps the field; the rest follows when the field is left.
      if (!this.element.querySelector('.desk-list input:focus')) this.renderList();
    });
  }

  render(): void {
    const { gate } = this.desk;
    if (gate === 'wait') {
      if (!this.element.firstChild) fill(this.element, h('p', { class: 'muted empty', role: 'status' }, t('loading')));
      return;
    }
    this.desk.pane?.render();
    fill(this.element, ...(gate === 'open' ? this.open() : this.closed(gate === 'empty')));
    this.renderList();
  }

  private closed(empty: boolean): Child[] {
    return [h('div', { class: 'gate' }, h('h1', {}, t('deskTitle')), h('p', {}, t(empty ? 'deskNothing' : 'deskGate')),
      h('a', { class: 'button-main', href: '/login' }, t('loginTitle')),
      h('button', { type: 'button', class: 'button-plain', id: 'enter-key', onclick: () => this.enterKey() }, t('keyEnter')))];
  }

  private open(): Child[] {
    const { desk } = this;
    return [
      h('div', { class: 'desk-head' }, h('h1', {}, t('deskTitle')),
        ...TOOLS.map((tool) => h('button', { type: 'button', class: 'button-plain', id: tool.id, onclick: () => tool.open(desk) }, icon(tool.path, 18), h('span', {}, t(tool.word))))),
      h('div', { class: 'tabs', role: 'group', 'aria-label': t('deskTitle') }, ...desk.collections.map((item) => h('button', {
        type: 'button', class: 'tab', id: `tab-${item.id}`, 'aria-pressed': String(item === desk.about), onclick: () => void desk.choose(item),
      }, titled(item), news())),
      ...desk.panes.map((pane) => h('button', {
        type: 'button', class: 'tab', id: `tab-${pane.id}`, 'aria-pressed': String(pane === desk.pane), onclick: () => void desk.look(pane),
      }, pane.title(), news()))),
      ...(desk.pane ? [desk.pane.element] : this.list()),
    ];
  }

  private list(): Child[] {
    const { desk } = this;
    return [
      h('div', { class: 'desk-tools' },
        h('input', {
          id: 'desk-filter', type: 'search', value: desk.filter, placeholder: t('deskFilter'), 'aria-label': t('deskFilter'),
          oninput: (event: Event) => { desk.filter = (event.target as HTMLInputElement).value; desk.changed.emit(); },
        }),
        h('button', { type: 'button', class: 'button-main', id: 'desk-add', onclick: () => this.add() }, `＋ ${t('deskAdd')}`)),
      h('div', { class: 'counts', role: 'group', 'aria-label': t('deskByState') }),
      h('ul', { class: 'desk-list' }),
    ];
  }

  private renderList(): void {
    const { about, chosen } = this.desk;
    const items = this.desk.shown();
    const list = this.element.querySelector('.desk-list');
    const counts = this.element.querySelector('.counts');
    for (const { id } of [...this.desk.collections, ...this.desk.panes]) {
      const mark = document.querySelector<HTMLElement>(`#tab-${id} .news`);
      if (mark) mark.hidden = !this.desk.fresh.has(id);
    }
    if (!list || !counts || !about) return;
    fill(counts, ...this.counts());
    const found = this.desk.matching();
    fill(list, ...found.slice(0, MOST).map((item) => row(about, item, this.acts, item.id === chosen)),
      !found.length && h('li', { class: 'muted empty' }, t('deskEmpty')),
      found.length > MOST && h('li', { class: 'muted empty' }, t('deskMore', { n: found.length, shown: MOST })));
    this.element.dataset.items = String(items.length);
  }

  /** How many there are in each state; a tap shows these alone. */
  private counts(): HTMLElement[] {
    const { about, wanted } = this.desk;
    const items = this.desk.shown();
    const tally = new Map<string, number>();
    for (const item of items) tally.set(this.desk.stateOf(item), (tally.get(this.desk.stateOf(item)) ?? 0) + 1);
    const usual = STATES[about?.id ?? ''] ?? [];
    const names = [...usual, ...[...tally.keys()].filter((name) => !usual.includes(name))];
    const words = (name: string) => (name === '' ? t('deskAll') : name === 'unknown' ? t('deskUnknown') : coded(about?.properties.status, name));
    return ['', ...names].map((name) => h('button', {
      type: 'button', id: `count-${name || 'all'}`, class: `count-chip state-${name || 'all'}`, 'aria-pressed': String(wanted === name),
      onclick: () => { this.desk.wanted = name; this.desk.changed.emit(); },
    }, `${words(name)} ${name === '' ? items.length : tally.get(name) ?? 0}`));
  }
}
