/** What the desk knows and does: the lists that are edited, the one that is open, and talk with the server. */

import { ApiError } from '../shared/api';
import { Signal } from '../shared/dom';
import { language, t } from '../shared/i18n';
import { idsOf, Live, type Told } from '../shared/live';
import { notice, noticeError } from '../shared/notice';
import { isOver, statusNow } from '../shared/standing';
import { openConflict } from './dialogs';
import { nameOf } from './list';
import type { Pane } from './pane';
import { isApart } from '../offline/outbox';
import { change, create, outbox, withdraw, withWaiting } from '../offline/writes';
import { say } from './say';
import { talk, type Editable, type Item, type Said, type StaleFeature } from './talk';

const FEW = 10; // changed features that are asked for one by one

export type Gate = 'wait' | 'closed' | 'empty' | 'open';

export class Desk {
  gate: Gate = 'wait';
  collections: Editable[] = [];
  about: Editable | null = null;
  /** Tabs beside the lists, and the one that is open in place of a list. */
  panes: Pane[] = [];
  pane: Pane | null = null;
  items: Item[] = [];
  filter = '';
  /** The state that is looked for; empty for all. */
  wanted = '';
  /** The feature that list and map mark. */
  chosen = '';

  /** Lists in which something has changed since they were looked at. */
  readonly fresh = new Set<string>();
  readonly live = new Live(() => this.watched(), () => this.about?.id ?? '');

  /** Another list is open, or another language or person: all is drawn anew. */
  readonly opened = new Signal<void>();
  /** What the open list holds, or which of it is looked for, has changed. */
  readonly changed = new Signal<void>();
  /** What the map shows, in degrees; null where nobody sees it. */
  seen: () => [number, number, number, number] | null = () => null;
  private writes = 0;
  /** How many of them there were when the newest look was begun. */
  private seenWrites = 0;
  /** When each feature of the open list was last heard of: an answer that was asked for before that is older. */
  private readonly heard = new Map<string, number>();
  private turn = 0;
  private refreshes = 0;
  private readonly underWay = new Map<string, Promise<void>>();
  /** What an own edit has made of a version: whoever had seen that one knows the next. */
  private readonly madeOf = new Map<string, string>();

  constructor() {
    this.live.news.on(({ collection, told }) => void this.take(collection, told));
    outbox.sent.on(({ row, done }) => this.madeOf.set(row.version, done.version));
  }

  private watched(): string[] {
    this.seenWrites = this.writes;
    return [...this.collections, ...this.panes].map(({ id }) => id);
  }

  /** What the open list shows; what is over comes last. */
  matching(): Item[] {
    const text = plain(this.filter);
    const id = this.about?.id ?? '';
    const found = this.shown().filter((item) => (!this.wanted || this.stateOf(item) === this.wanted)
      && (!text || ['name', 'name_kana', 'name_en', 'address'].some((name) => plain(String(item.properties[name] ?? '')).includes(text))));
    const over = (item: Item) => Number(isOver(id, item.properties));
    return found.sort((a, b) => over(a) - over(b));
  }

  /** The state that a feature of the open list is in now. */
  stateOf(item: Item): string {
    return statusNow(this.about?.id ?? '', item.properties) ?? 'unknown';
  }

  /** What the open list holds, as it is with edits that are not sent yet. */
  shown(): Item[] {
    return this.about ? withWaiting(this.about, this.items) : [];
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
      this.live.begin();
    }
  }

  async choose(next: Editable): Promise<void> {
    this.about = next;
    this.pane = null;
    this.items = [];
    this.heard.clear();
    this.filter = this.wanted = this.chosen = '';
    this.fresh.delete(next.id);
    this.opened.emit();
    await this.refresh();
  }

  /** Opens a tab that is no list. */
  async look(pane: Pane): Promise<void> {
    this.about = null;
    this.pane = pane;
    this.items = [];
    this.chosen = '';
    this.fresh.delete(pane.id);
    this.opened.emit();
    await pane.refresh();
  }

  /** Asks for the open list anew. */
  async refresh(): Promise<void> {
    const asked = this.about;
    if (!asked) return;
    try {
      const [before, since, mine] = [this.writes, this.turn, this.refreshes += 1];
      const found = await talk.items(asked.id);
      if (asked !== this.about || mine !== this.refreshes) return;
      if (before !== this.writes) return await this.refresh(); // older than what has been written meanwhile
      const isNewer = ({ id }: Item) => (this.heard.get(id) ?? 0) > since;
      this.put([...found.features.filter((item) => !isNewer(item)), ...this.items.filter(isNewer)], null);
    } catch (error) {
      noticeError(error);
    }
  }

  /** Somebody has changed something: of the open list it is shown, of the others it is noted. */
  private async take(collection: string, told: Told): Promise<void> {
    const pane = this.panes.find(({ id }) => id === collection);
    pane?.told(told);
    if (pane && pane === this.pane) return;
    if (collection !== this.about?.id) {
      this.fresh.add(collection);
      this.changed.emit();
      return;
    }
    const ids = idsOf(told);
    // What was told before the own write is older than that.
    const ready = this.seenWrites === this.writes ? itemsOf(told) : [];
    if (ready.length) this.put(ready, ready.map(({ id }) => id));
    const rest = ids?.filter((id) => !ready.some((item) => item.id === id));
    if (!rest || rest.length > FEW) await this.refresh();
    else await this.ask(rest).catch((error: unknown) => noticeError(error));
  }

  /** Asks for some features of the open list anew. */
  private async ask(ids: string[]): Promise<void> {
    const { about, writes, turn } = this;
    if (!about || !ids.length) return;
    const found = await Promise.all(ids.map((id) => talk.item(about.id, id).catch((error: unknown) => {
      if (error instanceof ApiError && error.status === 404) return null;
      throw error;
    })));
    if (about !== this.about) return;
    if (writes !== this.writes) return await this.ask(ids); // older than what has been written meanwhile
    const wanted = ids.filter((id) => (this.heard.get(id) ?? 0) <= turn);
    this.put(found.filter((item) => item !== null && wanted.includes(item.id)) as Item[], wanted);
  }

  /**
   * Takes features in, in place of those with the ids, or of all where there are none. What one's own people say
   * is known at once; the view of it follows a moment later.
   */
  private put(features: Item[], ids: string[] | null): void {
    this.turn += 1;
    for (const id of ids ?? []) this.heard.set(id, this.turn);
    const there = features.map((item) => ({ ...item, properties: { ...item.properties, ...item.own } }));
    this.items = [...(ids ? this.items.filter(({ id }) => !ids.includes(id)) : []), ...there]
      .sort((a, b) => this.name(a).localeCompare(this.name(b), language()) || a.id.localeCompare(b.id));
    this.changed.emit();
  }

  /** Marks a feature, and looks for nothing that would hide it. */
  mark(id: string): void {
    this.chosen = id;
    this.filter = this.wanted = '';
    this.opened.emit();
  }

  /** Saves a change after those of the same feature that are under way, each of which makes a new version. */
  async save(item: Item, said: Said, edited = this.about as Editable): Promise<boolean> {
    const before = this.underWay.get(item.id) ?? Promise.resolve();
    const saved = before.then(() => this.write(edited, item, said));
    const settled = saved.then(() => undefined, () => undefined);
    this.underWay.set(item.id, settled);
    void settled.then(() => { if (this.underWay.get(item.id) === settled) this.underWay.delete(item.id); });
    return await saved;
  }

  /**
   * Writes a change to what its person has seen. Where somebody else was first with another value of it, what
   * differs is shown, and asked which of the two is to stay; false where that is left open.
   */
  private async write(edited: Editable, item: Item, said: Said): Promise<boolean> {
    const name = nameOf(edited, item);
    const sent = { ...said, edit: { ...said.edit, at: new Date().toISOString() } };
    const version = this.newest(item.version);
    try {
      const done = await change(edited, { ...item, version }, sent, name);
      this.writes += 1;
      if (!done) return this.kept(name);
      this.madeOf.set(version, done.version);
      const shown = this.items.find(({ id }) => id === item.id) ?? item; // news may have put another in its place
      shown.version = done.version;
      shown.own = done.own;
      shown.properties = { ...shown.properties, ...said.properties, ...done.own };
      this.saved(done.edit, name);
      this.changed.emit();
      return true;
    } catch (error) {
      const stale = error instanceof ApiError && error.status === 412 ? (error.body.features as StaleFeature[] | undefined)?.[0] : undefined;
      if (!stale) throw error;
      const choice = isApart(stale) ? 'yours' : await openConflict(edited, name, stale);
      if (choice === 'yours') return await this.write(edited, { ...item, version: stale.version }, said);
      await this.refresh();
      return choice === 'theirs';
    }
  }

  private newest(version: string): string {
    let found = version;
    for (let next = this.madeOf.get(found); next !== undefined && next !== found; next = this.madeOf.get(found)) found = next;
    return found;
  }

  /** Makes a feature. */
  async create(edited: Editable, said: Said, name: string): Promise<void> {
    const done = await create(edited, { ...said, edit: { ...said.edit, at: new Date().toISOString() } }, name);
    if (!done) {
      this.kept(name);
      return;
    }
    this.chosen = done.id;
    this.saved(done.edit, name);
    if (edited === this.about) await this.ask([done.id]);
  }

  /** Says that something is done, and how to take it back. */
  saved(edit: string | null, name: string, word: 'deskSaved' | 'deskWithdrawn' | 'followDone' = 'deskSaved'): void {
    notice(t(word, { name }), 'info', edit === null ? undefined : { word: 'deskUndo', act: () => void this.undo(edit) });
  }

  async undo(edit: string): Promise<void> {
    try {
      await talk.undo(edit);
      notice(t('deskUndone'));
    } catch (error) {
      notice(say(error), 'error');
    }
    await this.refresh();
  }

  async withdraw(item: Item): Promise<void> {
    const edited = this.about as Editable;
    try {
      const name = nameOf(edited, item);
      const done = await withdraw(edited, { ...item, version: this.newest(item.version) }, name);
      if (!done) {
        this.changed.emit();
        return;
      }
      this.saved(done.edit, name, 'deskWithdrawn');
    } catch (error) {
      notice(say(error), 'error');
    }
    await this.refresh();
  }

  /** Said of what waits on this device. */
  private kept(name: string): true {
    notice(t('waitingKept', { name }));
    this.changed.emit();
    return true;
  }
}

/** The features that were told together with what they are edited by. */
function itemsOf({ features, desk = {} }: Told): Item[] {
  return (features?.features ?? []).flatMap((feature): Item[] => {
    const standing = desk[String(feature.id)];
    return standing ? [{ id: String(feature.id), geometry: feature.geometry, properties: feature.properties ?? {}, ...standing }] : [];
  });
}

function plain(text: string): string {
  return text.normalize('NFKC').toLowerCase();
}
