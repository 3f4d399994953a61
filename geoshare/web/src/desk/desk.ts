/** What the desk knows and does: the lists that are edited, the one that is open, and talk with the server. */

import { ApiError } from '../shared/api';
import { Signal } from '../shared/dom';
import { language, t } from '../shared/i18n';
import { notice, noticeError } from '../shared/notice';
import { openConflict } from './dialogs';
import { nameOf } from './list';
import { say } from './say';
import { talk, type Editable, type Item, type Said, type StaleFeature } from './talk';

export type Gate = 'wait' | 'closed' | 'empty' | 'open';

export class Desk {
  gate: Gate = 'wait';
  collections: Editable[] = [];
  about: Editable | null = null;
  items: Item[] = [];
  filter = '';
  /** The state that is looked for; empty for all. */
  wanted = '';
  /** The feature that list and map mark. */
  chosen = '';

  /** Another list is open, or another language or person: all is drawn anew. */
  readonly opened = new Signal<void>();
  /** What the open list holds, or which of it is looked for, has changed. */
  readonly changed = new Signal<void>();
  private writes = 0;
  private readonly underWay = new Map<string, Promise<void>>();

  /** What the open list shows. */
  matching(): Item[] {
    const text = plain(this.filter);
    return this.items.filter((item) => (!this.wanted || stateOf(item) === this.wanted)
      && (!text || ['name', 'name_kana', 'name_en', 'address'].some((name) => plain(String(item.properties[name] ?? '')).includes(text))));
  }

  name(item: Item): string {
    return nameOf(this.about as Editable, item);
  }

  /** Asks what may be edited, and opens the first of it. */
  async begin(anonymous: boolean): Promise<void> {
    this.gate = anonymous ? 'closed' : 'wait';
    if (!anonymous) {
      this.collections = (await talk.rights()).collections;
      this.gate = this.collections.length ? 'open' : 'empty';
    }
  }

  async choose(next: Editable): Promise<void> {
    this.about = next;
    this.items = [];
    this.filter = this.wanted = this.chosen = '';
    this.opened.emit();
    await this.refresh();
  }

  /** Asks for the open list anew. */
  async refresh(): Promise<void> {
    const asked = this.about;
    if (!asked) return;
    try {
      const before = this.writes;
      const found = await talk.items(asked.id);
      if (asked !== this.about) return;
      if (before !== this.writes) return await this.refresh(); // older than what has been written meanwhile
      this.take(found.features);
    } catch (error) {
      noticeError(error);
    }
  }

  /** What one's own people say is known at once; the view of it follows a moment later. */
  private take(features: Item[]): void {
    this.items = features.map((item) => ({ ...item, properties: { ...item.properties, ...item.own } }))
      .sort((a, b) => this.name(a).localeCompare(this.name(b), language()));
    this.changed.emit();
  }

  /** Marks a feature, and looks for nothing that would hide it. */
  mark(id: string): void {
    this.chosen = id;
    this.filter = this.wanted = '';
    this.opened.emit();
  }

  /** Saves a change after those of the same feature that are under way, each of which makes a new version. */
  async save(item: Item, said: Said): Promise<boolean> {
    const before = this.underWay.get(item.id) ?? Promise.resolve();
    const saved = before.then(() => this.write(this.items.find(({ id }) => id === item.id) ?? item, said));
    const settled = saved.then(() => undefined, () => undefined);
    this.underWay.set(item.id, settled);
    void settled.then(() => { if (this.underWay.get(item.id) === settled) this.underWay.delete(item.id); });
    return await saved;
  }

  /** Writes a change; where somebody else was first, asks which of the two is to stay. */
  private async write(item: Item, said: Said): Promise<boolean> {
    const edited = this.about as Editable;
    const sent = { ...said, edit: { ...said.edit, at: new Date().toISOString() } };
    try {
      const done = await talk.change(edited.id, item.id, item.version, sent);
      this.writes += 1;
      item.version = done.version;
      item.own = done.own;
      item.properties = { ...item.properties, ...said.properties, ...done.own };
      notice(t('deskSaved', { name: nameOf(edited, item) }));
      this.changed.emit();
      this.later();
      return true;
    } catch (error) {
      const stale = error instanceof ApiError && error.status === 412 ? (error.body.features as StaleFeature[] | undefined)?.[0] : undefined;
      if (!stale) throw error;
      const mine = await openConflict(edited, nameOf(edited, item), stale);
      if (mine) return await this.write({ ...item, version: stale.version }, said);
      await this.refresh();
      return true;
    }
  }

  /** Makes a feature. */
  async create(edited: Editable, said: Said, name: string): Promise<void> {
    const done = await talk.create(edited.id, { ...said, edit: { ...said.edit, at: new Date().toISOString() } });
    this.chosen = done.id;
    notice(t('deskSaved', { name }));
    this.later();
  }

  async withdraw(item: Item): Promise<void> {
    try {
      await talk.withdraw((this.about as Editable).id, item.id, item.version);
    } catch (error) {
      notice(say(error), 'error');
    }
    await this.refresh();
  }

  private later(): void {
    setTimeout(() => void this.refresh(), 500);
  }
}

export const stateOf = (item: Item): string => String(item.properties.status ?? 'unknown');

function plain(text: string): string {
  return text.normalize('NFKC').toLowerCase();
}
