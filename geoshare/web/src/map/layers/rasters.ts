/** Satellite scenes and gridded series: pictures drawn by the server, one per instant. */

import { language } from '../../shared/i18n';
import { drawn, type Definition } from './types';

function picture(order: number, height: number, opacity: number): Definition {
  return {
    group: 'images', order, visible: false, opacity,
    layers: (context) => [
      drawn(context, context.source.endsWith('~b') ? 'b' : 'a', 'raster', height, {
        paint: { 'raster-fade-duration': 0, 'raster-resampling': 'linear', 'raster-opacity': 1 },
      }),
    ],
    legend: (context) => (context.raster?.legend ?? []).map((entry) => ({
      kind: 'fill' as const, colour: entry.colour, outline: '#8795a1',
      label: (language() === 'ja' ? entry.label_ja : entry.label) || entry.label || String(entry.value),
    })),
  };
}

export const RASTER_LAYERS: Record<string, Definition> = {
  satellite: picture(40, 50, 1),
  rain: picture(41, 150, 0.6),
};

export const anyRaster = (index: number): Definition => picture(45 + index, 60 + index, 0.9);
