/** A small map that shows what was found in a file, on the visible background. */

import { Map as LibreMap, NavigationControl, ScaleControl, setWorkerUrl, type SourceSpecification, type StyleSpecification } from 'maplibre-gl';
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?url';
import 'maplibre-gl/dist/maplibre-gl.css';
import { api, transformRequest, type Collection } from '../shared/api';
import { fontFaces } from '../shared/fonts';
import { language } from '../shared/i18n';
import { BASE_LAYERS } from '../map/layers/base';
import { BASE } from '../map/layers/palettes';
import { ROAD_LAYERS } from '../map/layers/roads';
import { byZoom, geometry, type Drawn } from '../map/layers/types';

setWorkerUrl(workerUrl);

const BACKGROUND = ['admin_areas', 'water', 'segments', 'places'];
const MARK = '#d6336c';

export class PreviewMap {
  private readonly map: LibreMap;

  constructor(container: HTMLElement, visible: Collection[], data: GeoJSON.FeatureCollection) {
    this.map = new LibreMap({
      container, style: style(visible, data), transformRequest, attributionControl: false,
      bounds: boundsOf(data), fitBoundsOptions: { padding: 40, maxZoom: 16 }, cooperativeGestures: false,
    });
    this.map.addControl(new NavigationControl({ showCompass: false }), 'top-right');
    this.map.addControl(new ScaleControl({ unit: 'metric' }), 'bottom-left');
    this.map.once('idle', () => container.setAttribute('data-map', 'ready'));
  }

  remove(): void {
    this.map.remove();
  }
}

function style(visible: Collection[], data: GeoJSON.FeatureCollection): StyleSpecification {
  const shown = visible.filter((item) => BACKGROUND.includes(item.id));
  const sources: Record<string, SourceSpecification> = { preview: { type: 'geojson', data } };
  const layers: Drawn[] = [];
  if (shown.length) {
    sources.base = { type: 'vector', tiles: [api.tileAddress(shown.map((item) => item.id))], maxzoom: 16 };
    for (const collection of shown) {
      const definition = BASE_LAYERS[collection.id] ?? ROAD_LAYERS[collection.id];
      layers.push(...(definition?.layers({
        collection, source: 'base', language: language(), latitude: 36, choice: '', time: null, sample: null, raster: null,
        shown: new Set<string>(),
      }) ?? []));
    }
  }
  layers.sort((a, b) => a.height - b.height);
  const land = shown.some((item) => item.id === 'admin_areas');
  return {
    version: 8, 'font-faces': fontFaces(), sources,
    layers: [
      { id: 'background', type: 'background', paint: { 'background-color': land ? BASE.sea : BASE.land } },
      ...layers.map((layer) => layer.spec),
      { id: 'area', type: 'fill', source: 'preview', filter: geometry('Polygon'), paint: { 'fill-color': MARK, 'fill-opacity': 0.12 } },
      { id: 'line', type: 'line', source: 'preview', filter: geometry('Polygon', 'LineString'), paint: { 'line-color': MARK, 'line-width': byZoom([8, 1], [16, 3]) } },
      {
        id: 'point', type: 'circle', source: 'preview', filter: geometry('Point'),
        paint: { 'circle-color': MARK, 'circle-radius': byZoom([6, 3], [16, 7]), 'circle-stroke-color': '#ffffff', 'circle-stroke-width': 1.5 },
      },
    ],
  };
}

function boundsOf(data: GeoJSON.FeatureCollection): [number, number, number, number] {
  const box: [number, number, number, number] = [180, 85, -180, -85];
  const visit = (value: unknown): void => {
    if (!Array.isArray(value)) return;
    const [lon, lat] = value;
    if (typeof lon === 'number' && typeof lat === 'number') {
      box[0] = Math.min(box[0], lon);
      box[1] = Math.min(box[1], lat);
      box[2] = Math.max(box[2], lon);
      box[3] = Math.max(box[3], lat);
    } else {
      value.forEach(visit);
    }
  };
  for (const { geometry: shape } of data.features) {
    if (shape?.type === 'GeometryCollection') shape.geometries.forEach((part) => 'coordinates' in part && visit(part.coordinates));
    else if (shape) visit(shape.coordinates);
  }
  return box[0] <= box[2] ? box : [129, 31, 146, 45];
}
