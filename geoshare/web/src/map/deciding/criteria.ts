/** What somebody looks for among evacuation sites and shelters, as CQL2 filters; pure, so that it can be tested. */

export interface Criteria { hazard: string; state: string; room: string; city: string; wide: boolean }
export const NOTHING: Criteria = { hazard: '', state: '', room: '', city: '', wide: false };
export type Kind = 'evacuation_sites' | 'shelters';

const ROOM: Record<string, string> = {
  yes: 'max_capacity > people_count',
  no: 'max_capacity <= people_count',
  unknown: '(max_capacity IS NULL OR people_count IS NULL)',
};

/** Whether columns that are asked about are there; what is not there is unknown of every feature. */
const has = (columns: ReadonlySet<string>, ...names: string[]) => names.every((name) => columns.has(name));

/** The filter of one collection: '' for all of its features, null for none. */
export function filterOf(kind: Kind, wanted: Criteria, columns: ReadonlySet<string>): string | null {
  const parts: string[] = [];
  if (wanted.city) {
    if (!has(columns, 'local_government_code')) return null;
    parts.push(`local_government_code = '${wanted.city.replaceAll("'", "''")}'`);
  }
  if (wanted.hazard) {
    if (!has(columns, `hazard_${wanted.hazard}`)) return null;
    parts.push(`hazard_${wanted.hazard} = TRUE`);
  }
  if (wanted.state) {
    if (has(columns, 'status')) parts.push(wanted.state === 'unknown' ? 'status IS NULL' : `status = '${wanted.state}'`);
    else if (wanted.state !== 'unknown') return null;
  }
  if (wanted.room) {
    if (has(columns, 'max_capacity', 'people_count')) parts.push(ROOM[wanted.room] as string);
    else if (wanted.room !== 'unknown') return null;
  }
  if (wanted.wide) {
    if (kind !== 'shelters' || !has(columns, 'wide_area_status')) return null;
    parts.push("wide_area_status = 'accepting'");
  }
  return parts.join(' AND ');
}

/** Room left of a place: a number, or null where capacity or count is not known. */
export function roomLeft(properties: Record<string, unknown>): number | null {
  const { max_capacity: capacity, people_count: people } = properties;
  return typeof capacity === 'number' && typeof people === 'number' ? Math.max(0, capacity - people) : null;
}
