/** Municipalities by their code, asked for once where somebody chooses among them. */

import { api } from '../../shared/api';
import { named } from '../../shared/i18n';

let asked: Promise<Map<string, Record<string, unknown>>> | null = null;
let known = new Map<string, Record<string, unknown>>();

export function forgetMunicipalities(): void {
  asked = null;
  known = new Map();
}

export async function municipalities(): Promise<[string, string][]> {
  asked ??= api.items('admin_areas', { filter: "level = 'city'", limit: '2000' }).then(({ features }) =>
    new Map(features.map(({ properties }) => [String(properties?.code ?? ''), properties ?? {}] as const)));
  known = await asked.catch(() => { asked = null; return new Map(); });
  return [...known].map(([code, properties]): [string, string] => [code, named(properties)]).sort(([a], [b]) => a.localeCompare(b));
}

/** The name of a municipality, as far as it is known by now; else its code. */
export function municipalityName(code: unknown): string {
  const properties = typeof code === 'string' ? known.get(code) : undefined;
  return properties ? named(properties) : typeof code === 'string' ? code : '';
}
