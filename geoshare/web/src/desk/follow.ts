/** From a warning to evacuation information: everything that will be published is shown, and confirmed once. */

import { api, ApiError, type Feature } from '../shared/api';
import { fill, h } from '../shared/dom';
import { language, named, t, type Word } from '../shared/i18n';
import { notice } from '../shared/notice';
import { open } from './dialogs';
import { ownOf } from './own';
import { say } from './say';
import { talk, type Editable, type Proposal } from './talk';
import type { Warning } from './warnings';

type Area = { code: string; name: string };

/** Asks for the proposal and shows it; `about` says where one may publish, `made` gets the edit and what it is called. */
export async function openFollow(about: Editable, warning: Warning, made: (edit: string | null, name: string) => void, problem = ''): Promise<void> {
  const proposal = await talk.proposal(warning.id);
  const towns = await areasOf(proposal.proposed.area_codes.map((code) => `code = '${code}'`).join(' OR '));
  new Follow(about, warning, proposal, towns, made, problem);
}

async function areasOf(filter: string): Promise<Area[]> {
  if (!filter) return [];
  const { features } = await api.items('admin_areas', { filter, limit: '1000' });
  return features.map(areaOf).sort((a, b) => a.code.localeCompare(b.code));
}

const areaOf = ({ properties }: Feature): Area => ({ code: String(properties?.code ?? ''), name: named(properties ?? {}) });

class Follow {
  private readonly level: HTMLSelectElement;
  private readonly notes: HTMLTextAreaElement;
  private readonly reason = h('input', { id: 'follow-reason', type: 'text', maxlength: '500' });
  private readonly error = h('p', { class: 'field-error', role: 'alert' });
  private readonly summary = h('div', { class: 'follow-summary', id: 'follow-summary' });
  private readonly blocks = h('fieldset', { class: 'follow-blocks', hidden: true });
  private readonly confirm = h('button', { type: 'submit', class: 'button-main', id: 'follow-confirm', 'aria-describedby': 'follow-summary' }, t('followConfirm'));
  private readonly dialog: HTMLDialogElement;
  /** The town blocks to choose among, once somebody wants to. */
  private choices: Area[] | null = null;
  private byBlocks = false;
  private readonly chosen = new Set<string>();

  constructor(
    private readonly about: Editable, private readonly warning: Warning, private readonly proposal: Proposal, private readonly towns: Area[],
    private readonly made: (edit: string | null, name: string) => void, problem: string,
  ) {
    this.error.textContent = problem;
    const { proposed, levels } = proposal;
    this.level = h('select', { id: 'follow-level', onchange: () => this.sum() }, ...levels.map((level) =>
      h('option', { value: String(level), selected: level === proposed.level }, t(`level${level}` as Word))));
    this.notes = h('textarea', { id: 'follow-notes', maxlength: '2000', rows: '3', lang: 'ja', oninput: () => this.sum() });
    this.notes.value = proposed.notes;
    const form = h('form', { novalidate: true, onsubmit: (event: Event) => { event.preventDefault(); void this.send(); } },
      h('p', {}, t('followLead')),
      h('p', { class: 'muted' }, `${warning.area_name ?? ''} ${warning.kind_name ?? ''}`),
      h('label', { for: 'follow-level' }, t('followLevel')), this.level,
      h('fieldset', { class: 'follow-areas' }, h('legend', {}, t('followAreas')),
        this.radio('whole', towns.map(({ name }) => name).join(language() === 'ja' ? '、' : ', ') || t('followNoTown'), !towns.length),
        this.radio('blocks', t('followBlocks'), false)),
      this.blocks,
      h('label', { for: 'follow-notes' }, t('followNotes')), this.notes,
      h('label', { for: 'follow-reason' }, t('deskReason')), this.reason,
      this.summary, this.error,
      h('div', { class: 'dialog-actions' }, h('button', { type: 'button', class: 'button-plain', onclick: () => this.dialog.close() }, t('cancel')), this.confirm));
    this.dialog = open(t('followTitle'), form);
    if (!towns.length) void this.wantBlocks(true);
    this.sum();
  }

  private radio(value: 'whole' | 'blocks', words: string, disabled: boolean): HTMLElement {
    const checked = value === 'whole' ? this.towns.length > 0 : !this.towns.length;
    return h('label', { class: 'check' }, h('input', {
      type: 'radio', name: 'follow-area', id: `follow-${value}`, value, checked, disabled, onchange: () => void this.wantBlocks(value === 'blocks'),
    }), value === 'whole' ? t('followWhole', { name: words }) : words);
  }

  /** Lets town blocks be chosen, of the towns that the warning names. */
  private async wantBlocks(want: boolean): Promise<void> {
    this.byBlocks = want;
    this.blocks.hidden = !want;
    if (want && !this.choices) {
      fill(this.blocks, h('p', { role: 'status' }, t('loading')));
      const codes = this.towns.map(({ code }) => code);
      const named = ownOf(this.about, this.warning.municipality_codes ?? []);
      const towns = codes.length ? codes : named.length ? named : this.about.area_codes ?? [];
      // The sixth digit of a municipality's code is a check digit, which codes of its town blocks lack.
      const within = towns.map((code) => `code LIKE '${code.slice(0, 5)}%'`).join(' OR ');
      try {
        this.choices = await areasOf(`level = 'district'${within && ` AND (${within})`}`);
      } catch (error) {
        this.error.textContent = say(error);
        return;
      }
      this.renderBlocks();
    }
    this.sum();
  }

  private renderBlocks(): void {
    const all = this.choices ?? [];
    fill(this.blocks, h('legend', {}, t('followBlocks')),
      h('div', { class: 'follow-list' }, ...all.map(({ code, name }) => h('label', { class: 'check' }, h('input', {
        type: 'checkbox', id: `block-${code}`, value: code, checked: this.chosen.has(code),
        onchange: ({ target }: Event) => {
          if ((target as HTMLInputElement).checked) this.chosen.add(code);
          else this.chosen.delete(code);
          this.sum();
        },
      }), name))), !all.length && h('p', { class: 'muted' }, t('deskNothingHere')));
  }

  private areas(): Area[] {
    return this.byBlocks ? (this.choices ?? []).filter(({ code }) => this.chosen.has(code)) : this.towns;
  }

  /** Says in full what a press of the button will publish. */
  private sum(): void {
    const areas = this.areas();
    const level = Number(this.level.value);
    this.confirm.disabled = !areas.length;
    fill(this.summary, h('h3', {}, t('followSummary')),
      h('p', {}, h('span', { class: `level level-${level}` }, t('levelShort', { level })), h('strong', {}, t(`level${level}` as Word))),
      h('p', {}, areas.length ? `${t('followAreas')}: ${areas.map(({ name }) => name).join(language() === 'ja' ? '、' : ', ')}` : t('followNone')),
      this.notes.value && h('p', { lang: 'ja' }, this.notes.value),
      h('p', { class: 'muted' }, t('followPublic')));
  }

  private async send(): Promise<void> {
    const areas = this.areas();
    this.confirm.disabled = true;
    this.error.textContent = '';
    try {
      const done = await talk.follow(this.warning.id, {
        version: this.proposal.version, level: Number(this.level.value), area_codes: areas.map(({ code }) => code),
        notes: this.notes.value, reason: this.reason.value,
      });
      this.dialog.close();
      this.made(done.edit, t(`level${this.level.value}` as Word));
    } catch (error) {
      this.confirm.disabled = false;
      this.error.textContent = say(error);
      if (error instanceof ApiError && String(error.body.type).endsWith('#warning-changed')) {
        this.dialog.close();
        await openFollow(this.about, this.warning, this.made, say(error)).catch((other: unknown) => notice(say(other), 'error'));
      }
    }
  }
}
