/** Reads vector tiles (Mapbox Vector Tile 2.1): layers of features with values and flat coordinates. */

export type Value = string | number | boolean;
export interface Feature { id: number; type: 1 | 2 | 3; values: Record<string, Value>; parts: number[][] }
export interface Layer { extent: number; features: Feature[] }

class Reader {
  at = 0;
  private readonly view: DataView;

  constructor(private readonly bytes: Uint8Array, readonly end = bytes.length, start = 0) {
    this.at = start;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  varint(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.bytes[this.at++] as number;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  }

  /** The inside of what has a length. */
  inner(): Reader {
    const length = this.varint();
    const found = new Reader(this.bytes, this.at + length, this.at);
    this.at += length;
    return found;
  }

  text(): string {
    const inside = this.inner();
    return new TextDecoder().decode(this.bytes.subarray(inside.at, inside.end));
  }

  float(): number { this.at += 4; return this.view.getFloat32(this.at - 4, true); }
  double(): number { this.at += 8; return this.view.getFloat64(this.at - 8, true); }

  skip(wire: number): void {
    if (wire === 0) this.varint();
    else if (wire === 1) this.at += 8;
    else if (wire === 2) this.inner();
    else this.at += 4;
  }

  /** Calls with the number of each field; what is not taken is skipped. */
  fields(take: (field: number) => boolean): void {
    while (this.at < this.end) {
      const key = this.varint();
      if (!take(key >> 3)) this.skip(key & 7);
    }
  }
}

const unzigzag = (value: number): number => (value % 2 ? -(value + 1) / 2 : value / 2);

/** The layers of a tile by name. */
export function readTile(content: ArrayBuffer): Map<string, Layer> {
  const found = new Map<string, Layer>();
  const tile = new Reader(new Uint8Array(content));
  tile.fields((field) => {
    if (field !== 3) return false;
    const [name, layer] = readLayer(tile.inner());
    found.set(name, layer);
    return true;
  });
  return found;
}

function readLayer(reader: Reader): [string, Layer] {
  let name = '';
  let extent = 4096;
  const keys: string[] = [];
  const values: Value[] = [];
  const raw: Reader[] = [];
  reader.fields((field) => {
    if (field === 1) name = reader.text();
    else if (field === 2) raw.push(reader.inner());
    else if (field === 3) keys.push(reader.text());
    else if (field === 4) values.push(readValue(reader.inner()));
    else if (field === 5) extent = reader.varint();
    else return false;
    return true;
  });
  return [name, { extent, features: raw.map((item) => readFeature(item, keys, values)) }];
}

function readValue(reader: Reader): Value {
  let value: Value = '';
  reader.fields((field) => {
    if (field === 1) value = reader.text();
    else if (field === 2) value = reader.float();
    else if (field === 3) value = reader.double();
    else if (field === 4 || field === 5) value = reader.varint();
    else if (field === 6) value = unzigzag(reader.varint());
    else if (field === 7) value = reader.varint() !== 0;
    else return false;
    return true;
  });
  return value;
}

function readFeature(reader: Reader, keys: string[], values: Value[]): Feature {
  const feature: Feature = { id: 0, type: 1, values: {}, parts: [] };
  reader.fields((field) => {
    if (field === 1) feature.id = reader.varint();
    else if (field === 2) {
      const tags = reader.inner();
      while (tags.at < tags.end) {
        const key = keys[tags.varint()];
        const value = values[tags.varint()];
        if (key !== undefined && value !== undefined) feature.values[key] = value;
      }
    } else if (field === 3) feature.type = reader.varint() as 1 | 2 | 3;
    else if (field === 4) feature.parts = readParts(reader.inner());
    else return false;
    return true;
  });
  return feature;
}

/** Lines, rings (closed) or points as x, y, x, y … in tile units. */
function readParts(reader: Reader): number[][] {
  const parts: number[][] = [];
  let part: number[] = [];
  let x = 0;
  let y = 0;
  while (reader.at < reader.end) {
    const command = reader.varint();
    const count = command >> 3;
    if ((command & 7) === 7) {
      part.push(part[0] as number, part[1] as number);
      continue;
    }
    for (let index = 0; index < count; index += 1) {
      x += unzigzag(reader.varint());
      y += unzigzag(reader.varint());
      if ((command & 7) === 1) parts.push((part = []));
      part.push(x, y);
    }
  }
  return parts;
}
