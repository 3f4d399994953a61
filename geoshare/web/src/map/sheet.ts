/** The side panel of a wide screen; on a narrow one the same content is a sheet at the bottom. */

import { h, icon, ICONS } from '../shared/dom';
import { languageChanged, t } from '../shared/i18n';

type Height = 'peek' | 'half' | 'full';

export class Sheet {
  readonly element = h('aside', { class: 'sheet', 'data-height': 'peek', id: 'layers-panel' });
  private readonly handle = h('button', { type: 'button', class: 'sheet-handle', id: 'sheet-handle', 'aria-controls': 'sheet-body' });
  private readonly fold = h('button', { type: 'button', class: 'sheet-fold', id: 'sheet-fold', 'aria-controls': 'sheet-body' }, icon(ICONS.left, 18));
  private readonly title = h('span', {});
  private height: Height = 'peek';
  private startY = 0;
  private moved = false;

  constructor(content: HTMLElement, private readonly opened: () => void) {
    this.handle.append(h('span', { class: 'grip', 'aria-hidden': 'true' }), icon(ICONS.layers), this.title);
    this.element.append(this.handle, this.fold, h('div', { id: 'sheet-body', class: 'sheet-body' }, content));
    this.handle.addEventListener('click', () => { if (!this.moved) this.set(this.height === 'peek' ? 'half' : 'peek'); });
    this.handle.addEventListener('pointerdown', (event) => this.begin(event));
    this.handle.addEventListener('pointermove', (event) => this.drag(event));
    this.handle.addEventListener('pointerup', (event) => this.end(event));
    this.fold.addEventListener('click', () => {
      document.body.classList.toggle('panel-folded');
      this.words();
      window.dispatchEvent(new Event('resize'));
    });
    this.words();
    languageChanged.on(() => this.words());
  }

  set(height: Height): void {
    if (height !== 'peek') this.opened();
    this.height = height;
    this.element.dataset.height = height;
    this.element.style.removeProperty('--drag');
    this.words();
  }

  private words(): void {
    const folded = document.body.classList.contains('panel-folded');
    this.title.textContent = t('sheetTitle');
    this.element.setAttribute('aria-label', t('layers'));
    this.handle.setAttribute('aria-expanded', String(this.height !== 'peek'));
    this.fold.setAttribute('aria-expanded', String(!folded));
    this.fold.setAttribute('aria-label', folded ? t('showPanel') : t('hidePanel'));
    this.fold.title = folded ? t('showPanel') : t('hidePanel');
  }

  private begin(event: PointerEvent): void {
    this.startY = event.clientY;
    this.moved = false;
    this.handle.setPointerCapture(event.pointerId);
  }

  private drag(event: PointerEvent): void {
    if (!this.handle.hasPointerCapture(event.pointerId)) return;
    const by = event.clientY - this.startY;
    if (Math.abs(by) > 6) this.moved = true;
    if (this.moved) this.element.style.setProperty('--drag', `${by}px`);
  }

  private end(event: PointerEvent): void {
    if (!this.moved) return;
    const by = event.clientY - this.startY;
    const order: Height[] = ['peek', 'half', 'full'];
    const next = order.indexOf(this.height) + (by < -40 ? 1 : by > 40 ? -1 : 0);
    this.set(order[Math.max(0, Math.min(2, next))] as Height);
    setTimeout(() => { this.moved = false; }, 0);
  }
}
