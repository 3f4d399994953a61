/** What else can be done at the desk: each is a button in its head. A module that adds something adds a line. */

import { noticeError } from '../shared/notice';
import { ICONS } from '../shared/dom';
import type { Word } from '../shared/i18n';
import type { Desk } from './desk';
import { openDownload } from '../offline/download';
import { openEdits } from './dialogs';
import { openSheets } from './sheets';

export interface Tool {
  id: string;
  word: Word;
  path: string;
  open: (desk: Desk) => void;
}

export const TOOLS: Tool[] = [
  { id: 'print', word: 'print', path: ICONS.print, open: () => location.assign('/map#print=1') },
  {
    id: 'share', word: 'shareMap', path: ICONS.share,
    open: (desk) => void import('../sharing/dialog')
      .then(({ openSharing }) => openSharing({ box: desk.seen(), layers: desk.collections.map(({ id }) => id) }))
      .catch((error: unknown) => noticeError(error)),
  },
  { id: 'single', word: 'singleMake', path: ICONS.download, open: (desk) => openDownload({ seen: desk.seen(), own: desk.collections.find(({ area }) => area)?.area ?? null }) },
  { id: 'sheets', word: 'sheetEdit', path: ICONS.table, open: openSheets },
  {
    id: 'edits', word: 'deskEdits', path: ICONS.history,
    open: (desk) => void openEdits(desk.collections, () => void desk.refresh()).catch((error: unknown) => noticeError(error)),
  },
];
