/** Whether the server can be reached, as far as its last answers tell, and how old what is shown is. */

import type { Me } from './api';
import { Signal } from './dom';
import { KEPT_AT } from '../offline/kept';

const LOOK_MS = 5000;
let looking = 0;

export const connection = {
  live: true,
  /** Without a server: the moment of the oldest thing shown that changes by the minute. */
  keptAt: null as string | null,
};

export const connectionChanged = new Signal<void>();
/** Who is logged in, or whose key is used: said by the server, or kept of what it said. */
export const meKnown = new Signal<Me>();

/** Asks the server; what comes of it tells whether there is one. */
export async function reach(path: string, init: RequestInit): Promise<Response> {
  try {
    const response = await fetch(path, init);
    note(!response.headers.has(KEPT_AT));
    return response;
  } catch (error) {
    if (error instanceof TypeError) note(false);
    throw error;
  }
}

export function note(live: boolean): void {
  if (connection.live === live) return;
  connection.live = live;
  clearInterval(looking);
  if (live) connection.keptAt = null;
  else looking = window.setInterval(look, LOOK_MS);
  connectionChanged.emit();
}

/** Asks whether the server is there again; what is kept on the device never answers this. */
function look(): void {
  if (!connection.live) void reach('/healthz', { cache: 'no-store' }).catch(() => undefined);
}

window.addEventListener('offline', () => note(false));
window.addEventListener('online', look);

/** Something kept is shown. */
export function noteKept(at: string): void {
  if (connection.keptAt !== null && connection.keptAt <= at) return;
  connection.keptAt = at;
  connectionChanged.emit();
}
