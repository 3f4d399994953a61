/** A tab of the desk that is no list of what is edited. */

import type { Feature } from '../shared/api';
import type { Told } from '../shared/live';

export interface Pane {
  /** The collection it shows, and the tab's id. */
  id: string;
  title: () => string;
  element: HTMLElement;
  /** Asks anew, and draws. */
  refresh: () => Promise<void>;
  render: () => void;
  /** What the map shows while the tab is open. */
  features: () => Feature[];
  /** Something has changed in its collection, whether the tab is open or not. */
  told: (told: Told) => void;
}
