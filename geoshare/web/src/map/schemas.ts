/** Schemas of collections, fetched once each. */

import { api, type Schema } from '../shared/api';

const known = new Map<string, Schema | null>();
const asked = new Map<string, Promise<Schema | null>>();

export function schemaOf(collection: string): Schema | null {
  return known.get(collection) ?? null;
}

/** Id and geometry are no properties of a feature, though a schema lists them. */
function withoutOwn(schema: Schema): Schema {
  const shown = Object.entries(schema.properties).filter(
    ([, property]) => !['id', 'primary-geometry'].includes(property['x-ogc-role'] ?? ''),
  );
  return { ...schema, properties: Object.fromEntries(shown) };
}

export async function fetchSchema(collection: string): Promise<Schema | null> {
  let answer = asked.get(collection);
  if (!answer) {
    answer = api.schema(collection).then(withoutOwn).catch(() => null);
    asked.set(collection, answer);
  }
  const schema = await answer;
  known.set(collection, schema);
  return schema;
}

/** After a change of key other properties may be visible. */
export function forgetSchemas(): void {
  known.clear();
  asked.clear();
}
