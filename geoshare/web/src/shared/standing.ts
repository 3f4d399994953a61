/**
 * What of the municipality's lists is over: what was ended by somebody, and what has passed the end it was given.
 *
 * The record keeps what was said (`status`) and until when (`valid_to`); whether that moment has passed is for
 * whoever reads it, so that nothing has to be written for a closure to end. `geoshare/model/standing.py` says the
 * same of what the server draws.
 */

type Values = Record<string, unknown>;

/** How each list calls what is over. What is in no such list never ends by itself. */
const OVER: Record<string, string> = { events: 'ended', evacuation_areas: 'lifted', water_points: 'closed' };
const FINAL = ['ended', 'lifted', 'cancelled', 'closed'];
const UNREAL = ['drill', 'test'];

/** By how much the clock of this device is ahead of the server's, in milliseconds. */
let ahead = 0;

export function noteClock(ms: number): void {
  ahead = ms;
}

/** This moment by the server's clock, in milliseconds since 1970. */
export const now = (): number => Date.now() - ahead;

/** Whether it has passed the end it was given, whatever is said of its state. */
export function isExpired(collection: string, { valid_to }: Values, at = now()): boolean {
  return collection in OVER && typeof valid_to === 'string' && Date.parse(valid_to) <= at;
}

/** Whether it is over: by what is said of it, or by its end. */
export function isOver(collection: string, properties: Values, at = now()): boolean {
  return collection in OVER && (FINAL.includes(String(properties.status)) || properties.kind === 'lifted' || isExpired(collection, properties, at));
}

/** The state it is in now; a drill stays a drill, so that nobody takes it for something real that is over. */
export function statusNow(collection: string, properties: Values, at = now()): string | null {
  const said = (properties.status ?? null) as string | null;
  if (FINAL.includes(said ?? '') || UNREAL.includes(said ?? '') || !isExpired(collection, properties, at)) return said;
  return OVER[collection] as string;
}

/** What is known of it, with the state it is in now. */
export const asNow = <T extends Values>(collection: string, properties: T, at = now()): T => ({ ...properties, status: statusNow(collection, properties, at) });

/** For MapLibre, of features of a tile: whether they have passed the end they were given. */
export const expiredNow = (at = now()): unknown[] => ['<=', ['to-string', ['coalesce', ['get', 'valid_to'], '~']], new Date(at).toISOString()];
