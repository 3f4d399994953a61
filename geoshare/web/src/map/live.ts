/**
 * Changes of the data while the map is open: changed features are drawn from what was told, over tiles that
 * leave them out, so that hundreds of screens need not ask for tiles anew. Only much at once does that.
 */

import type { LayerSpecification, SourceSpecification } from 'maplibre-gl';
import type { Feature } from '../shared/api';
import type { Live, News } from '../shared/live';
import { idsOf } from '../shared/live';
import { every, type Drawn } from './layers/types';
import type { State } from './state';
import type { MapView } from './view';

const MOST = 300; // features of a collection that are drawn beside its tiles

export class LiveLayers {
  private readonly changed = new Map<string, Map<string, Feature | null>>();

  constructor(
    private readonly state: State, live: Live, private readonly view: () => MapView | null,
    /** Told of each change: its collection, and the ids where they are known. */
    private readonly seen: (collection: string, ids: string[] | null) => void,
  ) {
    live.news.on((news) => this.take(news));
  }

  /** Another person sees other things. */
  forget(): void {
    this.changed.clear();
  }

  private take({ collection, told }: News): void {
    const entry = this.state.entry(collection);
    const view = this.view();
    if (!entry || !view) return;
    const ids = idsOf(told);
    const known = this.changed.get(collection) ?? new Map<string, Feature | null>();
    if (ids && told.features && !entry.definition.base && known.size + ids.length <= MOST) {
      for (const id of told.deleted ?? []) known.set(id, null);
      for (const feature of told.features.features) known.set(String(feature.id), feature);
      this.changed.set(collection, known);
      view.refresh();
    } else {
      this.changed.delete(collection);
      view.refresh();
      view.refetch(entry);
    }
    this.seen(collection, ids);
  }

  /** A layer of tiles without the features that have changed since. */
  without(collection: string, layer: Drawn): Drawn {
    const ids = this.changed.get(collection);
    if (!ids?.size) return layer;
    const spec = layer.spec as LayerSpecification & { filter?: never };
    const rest = ['!', ['in', ['get', 'id'], ['literal', [...ids.keys()]]]] as never;
    return { ...layer, spec: { ...spec, filter: every(rest, spec.filter) } as LayerSpecification };
  }

  /** The features that have changed, drawn as their collections are. */
  overlay(): { sources: Record<string, SourceSpecification>; layers: Drawn[] } {
    const sources: Record<string, SourceSpecification> = {};
    const layers: Drawn[] = [];
    for (const [collection, known] of this.changed) {
      const entry = this.state.entry(collection);
      const there = [...known.values()].filter((feature) => feature?.geometry) as Feature[];
      if (!entry?.visible || !there.length) continue;
      const source = `live~${collection}`;
      sources[source] = { type: 'geojson', data: { type: 'FeatureCollection', features: there.map(plain) } };
      for (const layer of entry.definition.layers(this.state.context(entry, source))) {
        // The id begins with the collection's, so that a tap finds its way back.
        const { 'source-layer': _, ...spec } = layer.spec as unknown as Record<string, unknown>;
        layers.push({ ...layer, spec: { ...spec, id: `${String(spec.id)}~live` } as unknown as LayerSpecification });
      }
    }
    return { sources, layers };
  }
}

/** A feature as a tile has it: the id among the properties, nothing where there is no value. */
export function plain(feature: Feature): GeoJSON.Feature {
  const properties = Object.entries({ ...feature.properties, id: feature.id }).filter(([, value]) => value !== null);
  return { type: 'Feature', geometry: feature.geometry as GeoJSON.Geometry, properties: Object.fromEntries(properties) };
}
