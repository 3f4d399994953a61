/** Which scenarios of a choice there are, as far as loaded tiles tell: asking would send shapes over the line. */

import type { Map as LibreMap } from 'maplibre-gl';
import type { State } from './state';

/** Notes values `kind/scenario` of entries whose choice has scenarios, whenever the map comes to rest. */
export function watchScenarios(map: LibreMap, state: State): void {
  map.on('idle', () => {
    for (const entry of state.entries) {
      const { choice } = entry.definition;
      if (!entry.visible || !choice?.scenarios || !map.getSource(entry.id)) continue;
      const known = entry.sample?.choices ?? [];
      const found = new Set(known);
      for (const { properties } of map.querySourceFeatures(entry.id, { sourceLayer: entry.id })) {
        const kind = properties[choice.property] as unknown;
        const scenario = properties[choice.scenarios] as unknown;
        if (typeof kind !== 'string') continue;
        found.add(kind);
        if (typeof scenario === 'string' && scenario) found.add(`${kind}/${scenario}`);
      }
      if (found.size === known.length) continue;
      entry.sample = { breaks: {}, meshes: [], ...entry.sample, choices: [...found].sort() };
      state.entryChanged.emit(entry);
    }
  });
}
