/** Words for what the server would not do: its own, which name the field and what is allowed. */

import { ApiError } from '../shared/api';
import { t } from '../shared/i18n';
import { detailOf, explain } from '../shared/notice';

export function say(error: unknown): string {
  if (error instanceof Error && ['QuotaExceededError', 'Full'].includes(error.name)) return t('deviceFull');
  if (error instanceof ApiError && error.detail && error.status >= 400 && error.status < 500 && ![401, 429].includes(error.status)) {
    return detailOf(error);
  }
  return explain(error);
}
