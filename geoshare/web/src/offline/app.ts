/** The app on the device: its service worker, new versions of it, and the room that it has. */

import { connection, meKnown, noteKept } from '../shared/connection';
import { Signal } from '../shared/dom';
import { forgetSessions, sessionCache } from './kept';
import { forgetArea } from './marks';
import { outbox } from './writes';

const LOOK_MS = 30 * 60_000;

export const device = {
  /** The device has no room for more. */
  full: false,
  /** Loads the new version that is there, if one is. */
  update: null as (() => void) | null,
};

export const deviceChanged = new Signal<void>();

/** Whether the app can be kept here: browsers do it over https, and on the machine itself, alone. */
export const canKeep = window.isSecureContext && 'serviceWorker' in navigator;

// Also where no service worker has seen somebody else log in: what was kept of another login goes.
meKnown.on((me) => {
  if (canKeep && connection.live && me.csrf_token) void sessionCache(me.csrf_token).then(forgetSessions);
});

// From the beginning: the service worker speaks while the page is still being put together.
if (canKeep) {
  navigator.serviceWorker.addEventListener('message', ({ data }: MessageEvent<{ keptAt?: string; full?: boolean }>) => {
    if (data.keptAt) noteKept(data.keptAt);
    if (data.full && !device.full) {
      device.full = true;
      deviceChanged.emit();
    }
  });
  navigator.serviceWorker.startMessages();
}

/** Has the app kept, once the page has what it needs. */
export async function keepApp(): Promise<void> {
  if (!canKeep) return;
  const registration = await navigator.serviceWorker.register('/map/worker.js', { scope: '/', updateViaCache: 'none' }).catch(() => null);
  if (!registration) return;
  watch(registration);
  setInterval(() => { if (connection.live && !document.hidden) void registration.update().catch(() => undefined); }, LOOK_MS);
}

/** A new version waits until somebody asks for it: nobody's half-typed words are taken away. */
function watch(registration: ServiceWorkerRegistration): void {
  const offer = () => {
    const { waiting } = registration;
    if (!waiting || !navigator.serviceWorker.controller) return;
    device.update = () => {
      navigator.serviceWorker.addEventListener('controllerchange', () => location.reload(), { once: true });
      waiting.postMessage('take-over');
    };
    deviceChanged.emit();
  };
  offer();
  registration.addEventListener('updatefound', () => {
    registration.installing?.addEventListener('statechange', offer);
  });
}

/** Removes from the device all that is somebody's. */
export async function forgetAll(): Promise<void> {
  await outbox.clear();
  if (canKeep) await forgetSessions();
  forgetArea();
}
