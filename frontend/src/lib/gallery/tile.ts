/** What the grid keeps of an asset: little, since a catalogue may hold hundreds of thousands. */
import type { Asset } from '#lib/api/types.ts';
import { clampRatio } from './rows.ts';

export interface Tile {
  id: string;
  ratio: number;
  /** Width ÷ height as the picture is, for telling the browser its true size. */
  trueRatio: number;
  label: string;
  status: Asset['status'];
  thumbnail: string | undefined;
  large: string | undefined;
  placeholder: string | null;
}

export function tileOf(asset: Asset): Tile {
  const trueRatio = asset.width && asset.height ? asset.width / asset.height : 1;
  return {
    id: asset.id,
    ratio: clampRatio(trueRatio),
    trueRatio,
    label: describe(asset),
    status: asset.status,
    thumbnail: asset.links.thumbnails['256'],
    large: asset.links.thumbnails['1024'],
    placeholder: asset.placeholder
  };
}

/** The words that stand for a picture: what it shows, else its name. */
export function describe(asset: Pick<Asset, 'title' | 'caption' | 'filename' | 'id'>): string {
  return asset.title ?? asset.caption ?? asset.filename ?? asset.id;
}
