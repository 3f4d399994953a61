/** What the sharing dialog asks of the server. */

import { get, send } from '../shared/api';
import type { Choice } from '../shared/i18n';

export type Box = [number, number, number, number];

export interface Share {
  id: string; title: string; note: string; language: Choice; layers: string[]; bbox: Box; state: 'shown' | 'over' | 'revoked';
  made: string; made_by: { key?: string; person?: string }; until: string; href: string;
}

export interface Wanted { title: string; note: string; language: Choice; layers: string[]; drills: boolean; bbox: Box; hours: number }

export const shares = {
  listed: () => get<{ shares: Share[]; layers: string[] }>('/me/shares'),
  make: (wanted: Wanted) => send<Share>('POST', '/me/shares', wanted),
  revoke: (id: string) => send<undefined>('DELETE', `/me/shares/${encodeURIComponent(id)}`),
};
