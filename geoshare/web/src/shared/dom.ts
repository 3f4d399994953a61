/** A few lines instead of a framework: elements from a description, and named events. */

export type Child = Node | string | null | undefined | false;
type Attributes = Record<string, unknown>;

/** An element with attributes, `on…` listeners, `class`, properties and children. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  apply(element, attributes);
  append(element, children);
  return element;
}

const SVG = 'http://www.w3.org/2000/svg';

/** A decorative icon from path data on a 24 x 24 field. */
export function icon(paths: string, size = 20): SVGSVGElement {
  const svg = document.createElementNS(SVG, 'svg');
  const values: Record<string, string> = {
    viewBox: '0 0 24 24', width: String(size), height: String(size), fill: 'none',
    stroke: 'currentColor', 'stroke-width': '2', 'stroke-linecap': 'round',
    'stroke-linejoin': 'round', 'aria-hidden': 'true', focusable: 'false',
  };
  for (const [name, value] of Object.entries(values)) svg.setAttribute(name, value);
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', paths);
  svg.append(path);
  return svg;
}

function apply(element: HTMLElement, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value as EventListener);
    else if (name === 'style') Object.assign(element.style, value);
    else if (name === 'value' || name === 'checked' || name === 'textContent') {
      (element as unknown as Attributes)[name] = value;
    } else element.setAttribute(name, value === true ? '' : String(value));
  }
}

export function append(element: Element, children: Child[]): void {
  for (const child of children) if (child) element.append(child);
}

/** Replaces the children of an element, keeping keyboard focus on the element with the same id. */
export function fill(element: Element, ...children: Child[]): void {
  const focused = element.contains(document.activeElement) ? document.activeElement?.id : '';
  element.replaceChildren();
  append(element, children);
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
}

/** Listeners of one kind of event. */
export class Signal<T> {
  private readonly listeners = new Set<(value: T) => void>();

  on(listener: (value: T) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  emit(value: T): void {
    for (const listener of [...this.listeners]) listener(value);
  }
}

export const ICONS = {
  search: 'M11 4a7 7 0 1 0 0 14a7 7 0 0 0 0-14zM20.5 20.5l-4.4-4.4',
  key: 'M8 11a4 4 0 1 0 0 8a4 4 0 0 0 0-8zM11 12.5L20 3.5M16 7.5l3 3',
  layers: 'M12 3l9 5-9 5-9-5 9-5zM3 13l9 5 9-5',
  upload: 'M12 16V4M7 9l5-5 5 5M4 17v3h16v-3',
  close: 'M6 6l12 12M18 6L6 18',
  down: 'M6 9l6 6 6-6',
  left: 'M15 6l-6 6 6 6',
  right: 'M9 6l6 6-6 6',
  play: 'M8 5v14l11-7z',
  pause: 'M8 5v14M16 5v14',
  target: 'M12 5a7 7 0 1 0 0 14a7 7 0 0 0 0-14zM12 2v4M12 18v4M2 12h4M18 12h4',
  check: 'M5 12.5l4.5 4.5L19 7.5',
  warn: 'M12 4l9.5 16h-19L12 4zM12 10v5M12 17.6v.1',
  file: 'M6 3h8l4 4v14H6V3zM14 3v4h4',
  table: 'M4 5h16v14H4zM4 10h16M4 14.5h16M10 5v14',
  map: 'M9 4L3 6.5v13L9 17l6 3 6-2.5v-13L15 7 9 4zM9 4v13M15 7v13',
  person: 'M12 4a4 4 0 1 0 0 8a4 4 0 0 0 0-8zM4 21c0-4 3.6-6.5 8-6.5s8 2.5 8 6.5',
  desk: 'M4 5h16v11H4zM9 20h6M12 16v4M8 9l2.5 2.5L16 8',
  history: 'M4 12a8 8 0 1 0 2.5-5.8L4 8.5M4 4v4.5h4.5M12 8v4.5l3 2',
  camera: 'M4 8h4l1.5-2.5h5L16 8h4v11H4zM12 10a3.5 3.5 0 1 0 0 7a3.5 3.5 0 0 0 0-7z',
  edit: 'M5 19l1-4L16.5 4.5l3 3L9 18l-4 1zM14 7l3 3',
  trash: 'M5 7h14M9 7V4h6v3M7 7l1 13h8l1-13M10 11v5M14 11v5',
  print: 'M7 8V3h10v5M7 17H4V9h16v8h-3M7 14h10v7H7z',
  menu: 'M4 7h16M4 12h16M4 17h16',
  share: 'M18 3a2.6 2.6 0 1 0 .1 0zM6 9.4a2.6 2.6 0 1 0 .1 0zM18 15.8a2.6 2.6 0 1 0 .1 0zM8.3 10.8l7.4-4M8.3 13.2l7.4 4',
  mapFile: 'M6 3h8l4 4v14H6zM14 3v4h4M9 17l2-4 2 2 2-3',
  download: 'M12 4v12M7 11l5 5 5-5M4 17v3h16v-3',
  clock: 'M12 3a9 9 0 1 0 0 18a9 9 0 0 0 0-18zM12 7.5V12l3 2',
  link: 'M10 14a4 4 0 0 0 6 .4l3-3a4 4 0 0 0-5.7-5.7l-1 1M14 10a4 4 0 0 0-6-.4l-3 3a4 4 0 0 0 5.7 5.7l1-1',
} as const;
