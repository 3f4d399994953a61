/** People of the organisation: listed, added, invited, let in no more. */

import { get, send, type Person } from '../shared/api';
import { fill, h } from '../shared/dom';
import { language, t, type Word } from '../shared/i18n';
import { once } from './once';

const ROLES: Record<string, Word> = {
  viewer: 'roleViewer', editor: 'roleEditor', contributor: 'roleContributor', admin: 'roleAdmin', operator: 'roleOperator',
};

export function roleWords(roles: string[]): string {
  if (!roles.length) return t('roleNone');
  return roles.map((item) => {
    const [role, collection] = item.split(':', 2);
    const word = ROLES[role ?? ''];
    return (word ? t(word) : item) + (collection ? ` (${collection})` : '');
  }).join(language() === 'ja' ? '、' : ', ');
}

export class PeoplePanel {
  readonly element = h('section', { class: 'panel', id: 'people' });
  private persons: Person[] = [];
  private shown: { person: string; link: string } | null = null;

  constructor(private readonly own: string, private readonly operators: boolean, private readonly failed: (error: unknown) => void) {}

  async load(): Promise<void> {
    this.persons = (await get<{ persons: Person[] }>('/me/persons')).persons;
  }

  render(): void {
    fill(this.element, h('h2', {}, t('persons')),
      h('ul', { class: 'rows' }, ...this.persons.map((person) => this.row(person))), this.adding());
  }

  private row(person: Person): HTMLElement {
    const disabled = person.state === 'disabled';
    const mine = person.id === this.own || (person.roles.includes('operator') && !this.operators);
    return h('li', {},
      h('span', { class: `what${disabled ? ' ended' : ''}` }, person.name,
        disabled && h('span', { class: 'badge badge-off' }, t('personDisabled')),
        h('small', {}, roleWords(person.roles))),
      !mine && !disabled && h('button', { type: 'button', class: 'button-plain', onclick: () => void this.invite(person) }, t('personInvite')),
      !mine && h('button', { type: 'button', class: `button-link${disabled ? '' : ' danger'}`, onclick: () => void this.change(person, !disabled) },
        disabled ? t('personEnable') : t('personDisable')),
      this.shown?.person === person.id && once(this.shown.link));
  }

  private adding(): HTMLElement {
    const name = h('input', { type: 'text', id: 'person-name', maxlength: '200', required: true });
    const names = Object.keys(ROLES).filter((role) => role !== 'operator' || this.operators);
    const boxes = names.map((role) => h('input', { type: 'checkbox', value: role, checked: role === 'viewer' }));
    return h('details', { class: 'adding' }, h('summary', {}, t('personAdd')),
      h('form', { onsubmit: (event: Event) => {
        event.preventDefault();
        void this.add(name.value, boxes.filter((box) => box.checked).map((box) => box.value));
      } }, h('label', { for: 'person-name' }, t('personName'), name),
      h('fieldset', {}, h('legend', {}, t('roles')),
        ...boxes.map((box, index) => h('label', {}, box, t(ROLES[names[index] ?? 'viewer'] ?? 'roleViewer')))),
      h('button', { type: 'submit', class: 'button-main' }, t('personAdd'))));
  }

  private async add(name: string, roles: string[]): Promise<void> {
    await this.do(async () => {
      const made = await send<Person>('POST', '/me/persons', { name, roles, language: language() });
      await this.invite(made);
    });
  }

  private async invite(person: Person): Promise<void> {
    await this.do(async () => {
      const made = await send<{ link: string }>('POST', `/me/persons/${encodeURIComponent(person.id)}/invite`, {});
      this.shown = { person: person.id, link: made.link };
    });
  }

  private async change(person: Person, disabled: boolean): Promise<void> {
    if (disabled && !confirm(t('sure', { what: `${person.name} – ${t('personDisable')}` }))) return;
    await this.do(() => send('PATCH', `/me/persons/${encodeURIComponent(person.id)}`, { disabled }));
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
