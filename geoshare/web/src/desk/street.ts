/** The way along roads between two places: what lies between two taps on a street. */

import type { Feature } from '../shared/api';

type Position = [number, number];

/** A stretch of a road: its feature, and its line in the order in which it is gone along. */
export interface Along { ids: string[]; line: Position[] }

interface Road { id: string; line: Position[]; from: string; to: string }
interface Snap { road: Road; at: number; place: Position; away: number }
interface Step { road: Road; forward: boolean }

const METRES = 111_320; // in a degree of latitude

/**
 * The shortest way along `roads` from the road nearest to one place to the road nearest to another.
 *
 * Places are longitude and latitude. Null where there is no way, or no road within `reach` metres.
 */
export function along(features: Feature[], from: Position, to: Position, reach: number): Along | null {
  const roads = features.flatMap(roadsOf);
  const [start, end] = [snap(roads, from), snap(roads, to)];
  if (!start || !end || start.away > reach || end.away > reach) return null;
  if (start.road === end.road) return { ids: [start.road.id], line: between(start, end) };
  const steps = shortest(roads, start, end);
  if (!steps) return null;
  const line: Position[] = [];
  for (const [index, { road, forward }] of steps.entries()) {
    const first = index === 0 ? start : { road, at: forward ? 0 : road.line.length - 1, place: (forward ? road.line[0] : road.line.at(-1)) as Position, away: 0 };
    const last = index === steps.length - 1 ? end : { road, at: forward ? road.line.length - 1 : 0, place: (forward ? road.line.at(-1) : road.line[0]) as Position, away: 0 };
    line.push(...between(first, last).slice(index ? 1 : 0));
  }
  return { ids: [...new Set(steps.map(({ road }) => road.id))], line };
}

/** The place on the nearest road. */
export function onRoad(features: Feature[], place: Position): { place: Position; away: number } | null {
  return snap(features.flatMap(roadsOf), place);
}

function roadsOf({ id, geometry, properties }: Feature): Road[] {
  const lines = geometry?.type === 'LineString' ? [geometry.coordinates] : geometry?.type === 'MultiLineString' ? geometry.coordinates : [];
  return lines.filter((line) => line.length > 1).map((coordinates) => {
    const line = coordinates.map(([lon, lat]) => [lon, lat] as Position);
    // Connectors say where roads meet; without them the same end does.
    const whole = lines.length === 1;
    return {
      id: String(id), line,
      from: (whole && text(properties?.start_connector_id)) || key(line[0] as Position),
      to: (whole && text(properties?.end_connector_id)) || key(line.at(-1) as Position),
    };
  });
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const key = ([lon, lat]: Position): string => `${lon.toFixed(6)} ${lat.toFixed(6)}`;

function metres(a: Position, b: Position): number {
  const shrink = Math.cos((a[1] * Math.PI) / 180);
  return METRES * Math.hypot((b[0] - a[0]) * shrink, b[1] - a[1]);
}

/** `at` is the vertex before the place, with the share of the way to the next one. */
function snap(roads: Road[], place: Position): Snap | null {
  let best: Snap | null = null;
  const shrink = Math.cos((place[1] * Math.PI) / 180);
  for (const road of roads) {
    for (let index = 1; index < road.line.length; index += 1) {
      const [a, b] = [road.line[index - 1] as Position, road.line[index] as Position];
      const [dx, dy] = [(b[0] - a[0]) * shrink, b[1] - a[1]];
      const share = Math.max(0, Math.min(1, (((place[0] - a[0]) * shrink) * dx + (place[1] - a[1]) * dy) / (dx * dx + dy * dy || 1)));
      const there: Position = [a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])];
      const away = metres(place, there);
      if (!best || away < best.away) best = { road, at: index - 1 + share, place: there, away };
    }
  }
  return best;
}

/** The line of one road from one place on it to another. */
function between(start: Snap, end: Snap): Position[] {
  const { line } = start.road;
  const [low, high] = [Math.min(start.at, end.at), Math.max(start.at, end.at)];
  const inner = line.filter((_, index) => index > low && index < high);
  return start.at <= end.at ? [start.place, ...inner, end.place] : [start.place, ...inner.reverse(), end.place];
}

const length = (line: Position[]): number =>
  line.slice(1).reduce((sum, place, index) => sum + metres(line[index] as Position, place), 0);

/** The roads of the shortest way, each with its direction (Dijkstra, over the ends of roads). */
function shortest(roads: Road[], start: Snap, end: Snap): Step[] | null {
  const ends = new Map<string, { road: Road; forward: boolean; to: string; cost: number }[]>();
  for (const road of roads) {
    const cost = length(road.line);
    ends.set(road.from, [...(ends.get(road.from) ?? []), { road, forward: true, to: road.to, cost }]);
    ends.set(road.to, [...(ends.get(road.to) ?? []), { road, forward: false, to: road.from, cost }]);
  }
  const whole = (snapped: Snap, forward: boolean) => {
    const { road } = snapped;
    const last = forward ? road.line.length - 1 : 0;
    return length(between(snapped, { road, at: last, place: road.line[last] as Position, away: 0 }));
  };
  const best = new Map<string, { cost: number; steps: Step[] }>();
  const open = new Map<string, { cost: number; steps: Step[] }>();
  const reach = (node: string, cost: number, steps: Step[]) => {
    if (!best.has(node) && (open.get(node)?.cost ?? Infinity) > cost) open.set(node, { cost, steps });
  };
  reach(start.road.to, whole(start, true), [{ road: start.road, forward: true }]);
  reach(start.road.from, whole(start, false), [{ road: start.road, forward: false }]);
  while (open.size) {
    const [node, found] = [...open].reduce((a, b) => (b[1].cost < a[1].cost ? b : a));
    open.delete(node);
    best.set(node, found);
    for (const { road, forward, to, cost } of ends.get(node) ?? []) if (road !== end.road) reach(to, found.cost + cost, [...found.steps, { road, forward }]);
  }
  const arrivals = [
    { node: end.road.from, forward: true, more: whole(end, false) },
    { node: end.road.to, forward: false, more: whole(end, true) },
  ].flatMap(({ node, forward, more }) => {
    const found = best.get(node);
    return found ? [{ cost: found.cost + more, steps: [...found.steps, { road: end.road, forward }] }] : [];
  });
  return arrivals.sort((a, b) => a.cost - b.cost)[0]?.steps ?? null;
}
