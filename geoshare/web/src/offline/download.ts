/** Asks for the map of an area as one HTML file, and hands it over when it is made. */

import { api, ApiError, ask, get, handOver } from '../shared/api';
import { open } from '../desk/dialogs';
import { h } from '../shared/dom';
import { t } from '../shared/i18n';
import { explain } from '../shared/notice';

const LOOK_MS = 1500;
const LEFT_OUT = ['connectors', 'lanes', 'lane_boundaries', 'people_flow', 'statistics', 'regulatory_elements', 'junctions'];

interface Job { status: string; progress: number; error?: unknown }

/** Opens the dialog; `box` is the area in degrees, null for all that the caller sees. */
export function openDownload(box: [number, number, number, number] | null): void {
  const status = h('p', { role: 'status', id: 'single-status' });
  const button = h('button', { type: 'button', class: 'button-main', id: 'single-make', onclick: () => {
    button.disabled = true;
    make(box, (share) => { status.textContent = t('singleBusy', { n: Math.round(share * 100) }); })
      .then((size) => { status.textContent = t('singleDone', { size: (size / 1e6).toFixed(1) }); }, (error: unknown) => { status.textContent = explain(error); })
      .finally(() => { button.disabled = false; });
  } }, t('singleDo'));
  open(t('singleMake'), h('p', {}, t('singleLead')), status, h('div', { class: 'dialog-actions' }, button));
}

/** Has the file made, saying how far it is from 0 to 1; its size in bytes. */
async function make(box: [number, number, number, number] | null, tell: (share: number) => void): Promise<number> {
  tell(0);
  const collections = (await api.collections()).filter(({ id, kind }) => kind === 'vector' && !LEFT_OUT.includes(id)).map(({ id }) => id).slice(0, 32);
  const answer = await ask('/extracts', {
    method: 'POST', headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ collections, format: 'html', ...(box ? { bbox: box } : {}) }),
  });
  if (answer.status === 200) return await save(answer);
  const { job } = await answer.json() as { job: string };
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    const { status, progress } = await get<Job>(`/jobs/${job}`);
    tell(progress);
    if (status === 'done') return await save(await ask(`/jobs/${job}/result`));
    if (status === 'failed' || status === 'cancelled') throw new ApiError(500, '', '');
  }
}

async function save(answer: Response): Promise<number> {
  const content = await answer.blob();
  handOver(content, `geoshare-map-${new Date().toISOString().slice(0, 16).replace(/\D/g, '')}.html`);
  return content.size;
}
