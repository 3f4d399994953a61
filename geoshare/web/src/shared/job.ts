/** A file that the server makes: at once, or as a job that is waited for; and how far it is, on the screen. */

import { ask, ApiError, get } from './api';
import { h, type Child } from './dom';
import { language, t } from './i18n';

export interface Job { id: string; status: string; progress: number; error?: { message?: string } }

/** Hears how far the work is, from 0 to 1. */
export type Progress = (done: number) => void;
export type Work = (progress: Progress, signal: AbortSignal) => Promise<Blob>;

const PAUSE_MS = 700;

/** Asks for a file and waits for it; raises AbortError where it was given up, which ends the job. */
export async function fileOf(path: string, request: unknown, progress: Progress, signal: AbortSignal): Promise<Blob> {
  const answer = await ask(path, {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: request === undefined ? '' : JSON.stringify(request), signal,
  });
  if (answer.status !== 202) return await answer.blob();
  const { job } = (await answer.json()) as { job: string };
  const address = `/jobs/${encodeURIComponent(job)}`;
  for (;;) {
    if (signal.aborted) {
      await ask(address, { method: 'DELETE' }).catch((error: unknown) => {
        if (!(error instanceof ApiError) || error.status !== 409) throw error; // it was done already
      });
      throw new DOMException('cancelled', 'AbortError');
    }
    const found = await get<Job>(address);
    progress(found.progress);
    if (found.status === 'done') return await (await ask(`${address}/result`)).blob();
    if (found.status !== 'queued' && found.status !== 'running') throw failed(found);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

/** Jobs say in English what went wrong; who reads Japanese is told that it did. */
function failed({ error, status }: Job): ApiError {
  const detail = language() === 'ja' ? t('jobFailed') : error?.message ?? status;
  return new ApiError(400, '', detail);
}

export interface Shown {
  /** What the bar is of. */
  title: string;
  words: (percent: number) => string;
  show: (...content: Child[]) => void;
}

/** Does work with a bar and a button that gives it up. */
export async function withBar({ title, words, show }: Shown, work: Work, busy: AbortController): Promise<Blob> {
  const bar = h('progress', { max: '1', 'aria-label': title });
  const said = h('p', {}, words(0));
  show(said, bar, h('button', { type: 'button', class: 'button-plain', onclick: () => busy.abort() }, t('printCancel')));
  return await work((done) => {
    bar.value = done;
    said.textContent = words(Math.round(done * 100));
  }, busy.signal);
}
