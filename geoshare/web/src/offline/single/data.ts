/** The data that a page of its own carries: unpacked once, when it is opened. */

import { PMTiles, type RangeResponse, type Source } from 'pmtiles';
import type { Collection, Feature, Schema } from '../../shared/api';

interface Carried extends Omit<Collection, 'extent'> {
  extent: [number, number, number, number] | null;
  features: number;
  licences: string[];
  schema: Schema;
}

export interface About {
  created: string;
  box: [number, number, number, number] | null;
  zooms: [number, number];
  terms: string;
  collections: Carried[];
  not_included: string[];
}

function bytesOf(part: string): Uint8Array<ArrayBuffer> {
  const element = document.getElementById(`data-${part}`) as HTMLElement;
  const text = atob(element.textContent ?? '');
  element.remove();
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

async function unpacked<T>(part: string): Promise<T> {
  const stream = new Blob([bytesOf(part)]).stream().pipeThrough(new DecompressionStream('gzip'));
  return await new Response(stream).json() as T;
}

class Held implements Source {
  constructor(private readonly bytes: Uint8Array<ArrayBuffer>) {}

  getKey(): string {
    return 'held';
  }

  async getBytes(offset: number, length: number): Promise<RangeResponse> {
    return { data: this.bytes.slice(offset, offset + length).buffer };
  }
}

export const about = await unpacked<About>('about');
export const features = await unpacked<Record<string, Feature[]>>('features');
const archive = new PMTiles(new Held(bytesOf('tiles')));

/** A vector tile with all layers; of no bytes where nothing is. */
export async function tile(z: number, x: number, y: number): Promise<ArrayBuffer> {
  return (await archive.getZxy(z, x, y))?.data ?? new ArrayBuffer(0);
}
