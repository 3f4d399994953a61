/** When the map of somebody's area was kept on this device. */

const MARK = 'geoshare.area';

export interface Mark { owner: string; at: string }

export function areaKept(owner: string): string | null {
  try {
    const mark = JSON.parse(localStorage.getItem(MARK) ?? 'null') as Mark | null;
    return mark && mark.owner === owner ? mark.at : null;
  } catch {
    return null;
  }
}

export function noteArea(owner: string): void {
  localStorage.setItem(MARK, JSON.stringify({ owner, at: new Date().toISOString() } satisfies Mark));
}

export function forgetArea(): void {
  localStorage.removeItem(MARK);
}
