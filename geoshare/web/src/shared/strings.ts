/**
 * Every word the pages say, in all their languages. Names of data come from the schemas instead.
 *
 * Each page has a file of its own in `strings/`; a page's part that grows gets one, too, and is named here.
 */

import { ACCOUNT } from './strings/account';
import { COMMON } from './strings/common';
import { CONTRIBUTE } from './strings/contribute';
import { DECIDING } from './strings/deciding';
import { DESK } from './strings/desk';
import { EXTRACT } from './strings/extract';
import { MAP } from './strings/map';
import { OFFLINE } from './strings/offline';
import { PRINT } from './strings/print';
import { SHARING } from './strings/sharing';
import { SHEETS } from './strings/sheets';

export const STRINGS = {
  ...COMMON, ...MAP, ...DECIDING, ...PRINT, ...EXTRACT, ...DESK, ...SHEETS, ...SHARING, ...OFFLINE, ...CONTRIBUTE, ...ACCOUNT,
} as const;

export type Word = keyof typeof STRINGS;
