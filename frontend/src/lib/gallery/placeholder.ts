/** Thumbhashes as pictures: what is seen of an asset before its thumbnail has come. */
import { thumbHashToDataURL } from 'thumbhash';

const KEPT = 2000;
const made = new Map<string, string>();

/** A data URL for a thumbhash in base64; nothing where there is none, or a broken one. */
export function placeholderUrl(hash: string | null): string | undefined {
  if (hash === null) return undefined;
  const known = made.get(hash);
  if (known !== undefined) return known;
  const url = decode(hash);
  if (url === undefined) return undefined;
  if (made.size >= KEPT) made.clear();
  made.set(hash, url);
  return url;
}

function decode(hash: string): string | undefined {
  try {
    return thumbHashToDataURL(Uint8Array.from(atob(hash), (letter) => letter.charCodeAt(0)));
  } catch {
    return undefined; // a placeholder is an ornament: without it the plain ground is seen
  }
}
