/** Layers of some features alone, where somebody looks for them. */

import type { LayerSpecification } from 'maplibre-gl';
import { every, type Drawn } from '../layers/types';
import type { State } from '../state';

/** A layer of a collection as far as the state narrows it down. */
export function narrowed(collection: string, layer: Drawn, state: State): Drawn {
  const ids = state.only.get(collection);
  if (!ids) return layer;
  const spec = layer.spec as LayerSpecification & { filter?: never };
  const these = ['in', ['get', 'id'], ['literal', ids]] as never;
  return { ...layer, spec: { ...spec, filter: every(these, spec.filter) } as LayerSpecification };
}

/** Layers drawn beside the tiles, whose ids begin with their collection's. */
export const narrowedAll = (layers: Drawn[], state: State): Drawn[] =>
  layers.map((layer) => narrowed(layer.spec.id.split(':')[0] ?? '', layer, state));
