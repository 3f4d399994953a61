/** What is allowed and yet looks wrong or wants to be known: said beside it, never a refusal. */

import { moment, number, t } from '../shared/i18n';
import { isExpired } from '../shared/standing';

type Values = Record<string, unknown>;

const SHUT = ['not_open', 'closed'];

/** Of what a feature's values say together; the server says the same of rows of a spreadsheet. */
export function remarksOf(collection: string, values: Values): string[] {
  if (collection !== 'shelters') return [];
  const { people_count: count, max_capacity: most, status } = values;
  if (typeof count !== 'number' || count <= 0) return [];
  return [
    typeof most === 'number' && count > most && t('remarkOver', { n: number(count), most: number(most) }),
    SHUT.includes(String(status)) && t(status === 'closed' ? 'remarkClosed' : 'remarkNotOpen', { n: number(count) }),
  ].filter((words) => words !== false);
}

/** That it is over because its end has passed, and not because somebody said so. */
export function expiryOf(collection: string, values: Values): string {
  return isExpired(collection, values) ? t('deskExpired', { at: moment(String(values.valid_to), 'short') }) : '';
}
