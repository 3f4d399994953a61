/** The map itself: a style made from the state, applied as a difference, and raster frames that swap softly. */

import { Map as LibreMap, NavigationControl, ScaleControl, GeolocateControl, AttributionControl, setWorkerUrl, type LayerSpecification, type SourceSpecification, type StyleSpecification } from 'maplibre-gl';
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?url';
import 'maplibre-gl/dist/maplibre-gl.css';
import { api, transformRequest } from '../shared/api';
import { fontFaces } from '../shared/fonts';
import { language, t } from '../shared/i18n';
import { answerMissingImages } from './images';
import type { Picked } from './card';
import { BASE } from './layers/palettes';
import type { Drawn } from './layers/types';
import { markLayers } from './pick';
import type { Entry, State } from './state';

setWorkerUrl(workerUrl);

const JAPAN: [number, number, number, number] = [129.5, 31, 146, 45.5];
const FRAME_TIMEOUT_MS = 4000;

/** Two sources per timed picture: one is shown while the other loads the next instant. */
interface Frames { front: 'a' | 'b'; a: string | null; b: string | null }

const PASSING_MS = 60_000; // what passes its end meanwhile is drawn no more

export class MapView {
  readonly map: LibreMap;
  private readonly frames = new Map<string, Frames>();
  private readonly faces = fontFaces();
  private scheduled = 0;
  private marked: Picked | null = null;
  /** What of a collection's tiles is not drawn, because it is not so any more. */
  without: ((collection: string, layer: Drawn) => Drawn) | null = null;
  /** What a page lays over the state's own layers; drawn anew with each refresh. */
  overlay: (() => { sources: Record<string, SourceSpecification>; layers: Drawn[] }) | null = null;

  constructor(private readonly state: State, container: HTMLElement, compact: boolean) {
    const camera = state.camera;
    this.map = new LibreMap({
      container,
      style: this.style(),
      ...(camera
        ? { center: [camera.lon, camera.lat], zoom: camera.zoom, bearing: camera.bearing, pitch: camera.pitch }
        : { bounds: state.home() ?? JAPAN, fitBoundsOptions: { padding: 24, maxZoom: 15.5 } }),
      maxZoom: 21.5, minZoom: 3, maxPitch: 60,
      attributionControl: false, transformRequest, locale: locale(),
      fadeDuration: matchMedia('(prefers-reduced-motion: reduce)').matches ? 0 : 200,
    });
    this.map.addControl(new AttributionControl({ compact: true }), 'bottom-right');
    this.map.addControl(new ScaleControl({ unit: 'metric', maxWidth: compact ? 90 : 120 }), 'bottom-left');
    this.map.addControl(new NavigationControl({ visualizePitch: true }), 'top-right');
    this.map.addControl(new GeolocateControl({ positionOptions: { enableHighAccuracy: true }, showAccuracyCircle: true }), 'top-right');
    this.map.getCanvas().setAttribute('aria-label', t('appTitle'));
    answerMissingImages(this.map);
    const note = () => {
      const center = this.map.getCenter();
      state.camera = {
        zoom: this.map.getZoom(), lat: center.lat, lon: center.lng, bearing: this.map.getBearing(), pitch: this.map.getPitch(),
      };
      state.writeLink();
    };
    note();
    this.map.on('moveend', note);
    state.entryChanged.on((entry) => {
      if (entry.visible && entry.collection.kind !== 'vector') void this.nextFrame(entry);
      this.refresh();
    });
    setInterval(() => { if (document.visibilityState === 'visible') this.refresh(); }, PASSING_MS);
  }

  /** Brings the map to the state at the next frame; many calls cost one. */
  refresh(): void {
    if (this.scheduled) return;
    this.scheduled = requestAnimationFrame(() => {
      this.scheduled = 0;
      this.map.setStyle(this.style(), { diff: true, validate: false });
      this.state.writeLink();
    });
  }

  /** Marks one feature, or none. */
  mark(picked: Picked | null): void {
    this.marked = picked;
    this.refresh();
  }

  /** Asks for the tiles of an entry anew; those that have not changed are not sent again. */
  refetch(entry: Entry): void {
    const source = entry.definition.base ? 'base' : entry.id;
    if (entry.visible && entry.collection.kind === 'vector' && this.map.getSource(source)) this.map.refreshTiles(source);
  }

  /** After a change of key: forget every tile. */
  reload(): void {
    this.frames.clear();
    this.map.setStyle(this.style(), { diff: false, validate: false });
    this.state.writeLink();
  }

  private style(): StyleSpecification {
    const drawnLayers: Drawn[] = [];
    const sources: Record<string, SourceSpecification> = {};
    const base = this.state.entries.filter((entry) => entry.definition.base && entry.collection.kind === 'vector');
    if (base.length) sources.base = this.vectorSource(base);
    for (const entry of this.state.entries) {
      if (entry.collection.kind === 'vector') {
        const source = entry.definition.base ? 'base' : entry.id;
        if (!entry.definition.base) sources[source] = this.vectorSource([entry]);
        const layers = entry.definition.layers(this.state.context(entry, source));
        drawnLayers.push(...layers.map((layer) => shown(this.without?.(entry.id, layer) ?? layer, entry, entry.opacity)));
      } else if (entry.visible && entry.raster) {
        this.addFrames(entry, sources, drawnLayers);
      }
    }
    const more = this.overlay?.();
    if (more) {
      Object.assign(sources, more.sources);
      drawnLayers.push(...more.layers);
    }
    drawnLayers.push(...markLayers(this.marked, this.state));
    drawnLayers.sort((a, b) => a.height - b.height);
    const hasLand = this.state.entries.some((entry) => entry.id === 'admin_areas');
    const background: LayerSpecification = {
      id: 'background', type: 'background', paint: { 'background-color': hasLand ? BASE.sea : BASE.land },
    };
    return {
      version: 8, name: 'geoshare', 'font-faces': this.faces, sources: this.withPublicBackground(sources),
      layers: [background, ...this.publicLayers(), ...drawnLayers.map((layer) => layer.spec)],
    };
  }

  private vectorSource(entries: Entry[]): SourceSpecification {
    return {
      type: 'vector',
      tiles: [api.tileAddress(entries.map((entry) => entry.id))],
      maxzoom: this.state.maxTileZoom, bounds: union(entries), promoteId: 'id',
    };
  }

  private addFrames(entry: Entry, sources: Record<string, SourceSpecification>, layers: Drawn[]): void {
    const frames = this.framesOf(entry);
    for (const side of ['a', 'b'] as const) {
      const time = frames[side];
      if (time === null && side !== frames.front) continue;
      const source = `${entry.id}~${side}`;
      const bounds = entry.raster?.bounds ?? entry.collection.extent?.spatial?.bbox?.[0];
      sources[source] = {
        type: 'raster', tileSize: 256, tiles: [api.rasterAddress(entry.id, time, null, 'png')],
        minzoom: entry.raster?.minzoom ?? 0, maxzoom: entry.raster?.maxzoom ?? 18,
        ...(bounds?.length === 4 ? { bounds: bounds as [number, number, number, number] } : {}),
      };
      const context = this.state.context(entry, source);
      const opacity = side === frames.front ? entry.opacity : 0;
      layers.push(...entry.definition.layers(context).map((layer) => shown(layer, entry, opacity)));
    }
  }

  private framesOf(entry: Entry): Frames {
    const known = this.frames.get(entry.id);
    if (known) return known;
    const fresh: Frames = { front: 'a', a: entry.time, b: null };
    this.frames.set(entry.id, fresh);
    return fresh;
  }

  /** Loads the wanted instant behind the shown one and swaps when it is there. */
  private async nextFrame(entry: Entry): Promise<void> {
    const frames = this.framesOf(entry);
    if (frames[frames.front] === entry.time) return;
    const back = frames.front === 'a' ? 'b' : 'a';
    const time = entry.time;
    frames[back] = time;
    this.refresh();
    await this.loaded(`${entry.id}~${back}`);
    if (entry.time !== time || frames[back] !== time) return;
    frames.front = back;
    this.refresh();
    this.frameShown?.(entry);
  }

  /** Called when a wanted instant is on the screen; the time bar waits for it while playing. */
  frameShown: ((entry: Entry) => void) | null = null;

  private loaded(source: string): Promise<void> {
    return new Promise((resolve) => {
      const started = performance.now();
      const look = () => {
        const there = this.map.getSource(source) && this.map.isSourceLoaded(source);
        if (there || performance.now() - started > FRAME_TIMEOUT_MS) resolve();
        else setTimeout(look, 60);
      };
      setTimeout(look, 60);
    });
  }

  private withPublicBackground(sources: Record<string, SourceSpecification>): Record<string, SourceSpecification> {
    const { background } = this.state.settings;
    if (background && this.state.publicBackground) {
      sources['public-background'] = {
        type: 'raster', tiles: [background.tiles], tileSize: 256, maxzoom: 18, attribution: background.attribution,
      };
    }
    return sources;
  }

  private publicLayers(): LayerSpecification[] {
    if (!this.state.settings.background || !this.state.publicBackground) return [];
    return [{ id: 'public-background', type: 'raster', source: 'public-background' }];
  }
}

const OPACITIES: Record<string, string[]> = {
  fill: ['fill-opacity'], line: ['line-opacity'], circle: ['circle-opacity', 'circle-stroke-opacity'],
  symbol: ['icon-opacity', 'text-opacity'], raster: ['raster-opacity'],
};

/** A layer with the entry's visibility and opacity put into it. */
function shown(layer: Drawn, entry: Entry, opacity: number): Drawn {
  const spec = layer.spec as unknown as { type: string; layout?: Record<string, unknown>; paint?: Record<string, unknown> };
  const paint = { ...spec.paint };
  if (opacity !== 1) {
    for (const name of OPACITIES[spec.type] ?? []) {
      const own = paint[name] ?? 1;
      paint[name] = typeof own === 'number' ? own * opacity : ['*', own, opacity];
    }
  }
  const layout = { ...spec.layout, visibility: entry.visible ? 'visible' : 'none' };
  return { height: layer.height, spec: { ...spec, layout, paint } as unknown as LayerSpecification };
}

function union(entries: Entry[]): [number, number, number, number] {
  const boxes = entries.map((entry) => entry.collection.extent?.spatial?.bbox?.[0]).filter((box) => box?.length === 4) as number[][];
  if (boxes.length < entries.length || !boxes.length) return [-180, -85.051129, 180, 85.051129];
  const grow = 0.001;
  return [
    Math.min(...boxes.map((box) => box[0] as number)) - grow, Math.min(...boxes.map((box) => box[1] as number)) - grow,
    Math.max(...boxes.map((box) => box[2] as number)) + grow, Math.max(...boxes.map((box) => box[3] as number)) + grow,
  ];
}

/** MapLibre's own words, for screen readers and tooltips. */
function locale(): Record<string, string> {
  if (language() !== 'ja') return {};
  return {
    'NavigationControl.ZoomIn': '拡大', 'NavigationControl.ZoomOut': '縮小', 'NavigationControl.ResetBearing': '北を上にする',
    'GeolocateControl.FindMyLocation': '現在地を表示', 'GeolocateControl.LocationNotAvailable': '現在地を取得できません',
    'AttributionControl.ToggleAttribution': '出典の表示を切り替える', 'Map.Title': '地図', 'Popup.Close': '閉じる',
    'ScaleControl.Meters': 'm', 'ScaleControl.Kilometers': 'km',
  };
}
