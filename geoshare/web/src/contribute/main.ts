/** The upload page: file, check, send, report. */

import { layOut } from '../shared/page';
import './contribute.css';
import { api, ApiError, contribute, credentials, preview, type Collection, type Me, type Preview, type Refusing, type UploadOptions } from '../shared/api';
import { fill, h, icon, ICONS } from '../shared/dom';
import { Header, keyChanged, organisationOf } from '../shared/header';
import { languageChanged, t, type Word } from '../shared/i18n';
import { explain, notice, noticeError } from '../shared/notice';
import { Check } from './check';
import { over, ReportView } from './report';

const POLL_MS = 700;
const PREVIEW_LIMIT = 64_000_000;

type Step = 'stepFile' | 'stepCheck' | 'stepSend' | 'stepReport';

let me: Me | null = null;
let collections: Collection[] = [];
let usual: Refusing | null = null;
let step: Step = 'stepFile';
let check: Check | null = null;
let report: ReportView | null = null;
let run = 0;

const header = new Header(null, 'contribute');
const head = h('div', { class: 'page-head' });
const stage = h('div', { class: 'stage', 'aria-live': 'off' });
layOut(header, h('main', { class: 'page' }, head, stage));

function renderHead(): void {
  document.title = `${t('contributeTitle')} – geoshare`;
  const steps: Step[] = ['stepFile', 'stepCheck', 'stepSend', 'stepReport'];
  const at = steps.indexOf(step);
  fill(head,
    h('h1', {}, t('contributeTitle')),
    step === 'stepFile' && h('p', { class: 'lead' }, t('contributeLead')),
    h('ol', { class: 'steps' }, ...steps.map((name, index) => h('li', {
      class: index < at ? 'past' : index === at ? 'now' : '', 'aria-current': index === at ? 'step' : undefined,
    }, h('span', { class: 'dot', 'aria-hidden': 'true' }, index < at ? '✓' : String(index + 1)), t(name as Word)))));
}

function go(next: Step, content: HTMLElement): void {
  step = next;
  renderHead();
  fill(stage, content);
}

function chooseFile(): void {
  run += 1;
  check?.remove();
  check = null;
  report = null;
  go('stepFile', fileStep());
}

function fileStep(): HTMLElement {
  if (!me?.can_contribute) {
    return h('section', { class: 'panel gate' }, icon(ICONS.key, 36),
      h('p', {}, me && !me.anonymous ? t('cannotContribute') : t('needKey')),
      h('button', { type: 'button', class: 'button-main', id: 'enter-key', onclick: () => header.openKeyDialog() }, t('keyEnter')));
  }
  const input = h('input', { type: 'file', id: 'file', class: 'visually-hidden', onchange: () => take(input.files) });
  const zone = h('label', { class: 'drop', for: 'file' },
    icon(ICONS.upload, 40), h('strong', {}, t('drop')), h('span', { class: 'muted' }, t('or')),
    h('span', { class: 'button-main' }, t('choose')), h('span', { class: 'muted formats' }, t('formats')));
  for (const kind of ['dragenter', 'dragover']) {
    zone.addEventListener(kind, (event) => { event.preventDefault(); zone.classList.add('over'); });
  }
  zone.addEventListener('dragleave', () => zone.classList.remove('over'));
  zone.addEventListener('drop', (event) => {
    event.preventDefault();
    zone.classList.remove('over');
    take(event.dataTransfer?.files ?? null);
  });
  return h('section', { class: 'panel' },
    h('p', { class: 'muted sender' }, `${t('sendAs')}: `, h('strong', {}, organisationOf(me))),
    input, zone);
}

function take(files: FileList | null): void {
  const file = files?.[0];
  if (!file) return;
  if (files.length > 1) notice(t('tooManyFiles'), 'error');
  else if (!file.size) notice(t('emptyFile'), 'error');
  else void look(file, {});
}

async function look(file: File, options: UploadOptions): Promise<void> {
  const mine = (run += 1);
  go('stepCheck', h('section', { class: 'panel waiting', role: 'status' }, h('progress', {}), h('p', {}, t('loading'))));
  let found: Preview | null = null;
  if (file.size <= PREVIEW_LIMIT) {
    try {
      found = await preview(file, options);
    } catch (error) {
      if (mine !== run) return;
      if (error instanceof ApiError && (error.status === 401 || error.status === 403)) {
        noticeError(error);
        chooseFile();
        return;
      }
      notice(explain(error), 'error');
    }
  }
  if (mine !== run) return;
  check?.remove();
  check = new Check(file, found, collections, me?.contributable ?? [], options, usual, {
    send: (chosen) => void send(file, chosen),
    again: (chosen) => void look(file, chosen),
    cancel: chooseFile,
  });
  go('stepCheck', check.element);
}

async function send(file: File, options: UploadOptions): Promise<void> {
  const mine = (run += 1);
  check?.remove();
  const view = new ReportView(file, collections, chooseFile);
  report = view;
  go('stepSend', view.element);
  try {
    let found = await contribute(file, options, (share) => view.sending(share));
    view.show(found);
    while (!over(found)) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      if (mine !== run) return;
      found = await api.contribution(found.id);
      if (found.status === 'done') collections = await api.collections().catch(() => collections);
      view.show(found);
    }
    step = 'stepReport';
    renderHead();
  } catch (error) {
    if (mine !== run) return;
    noticeError(error, () => void send(file, options));
    if (check) {
      check.render();
      go('stepCheck', check.element);
    }
  }
}

async function start(): Promise<void> {
  try {
    [me, collections] = await Promise.all([api.me(), api.collections()]);
    header.show(me);
    usual = me.can_contribute ? await api.refusing().catch(() => null) : null;
  } catch (error) {
    if (error instanceof ApiError && error.status === 401 && credentials.get()) {
      credentials.set('');
      noticeError(error);
      await start();
      return;
    }
    noticeError(error, () => void start());
  }
  chooseFile();
}

languageChanged.on(() => {
  renderHead();
  if (step === 'stepFile') fill(stage, fileStep());
  else if (step === 'stepCheck') check?.render();
  else report?.render();
});
keyChanged.on(() => void start());
// A file dropped beside the field must not replace the page.
for (const kind of ['dragover', 'drop']) window.addEventListener(kind, (event) => event.preventDefault());
renderHead();
void start();
