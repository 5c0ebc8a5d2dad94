/** The page's one upload list, on the real server. */
import { readAsset, restoreAsset } from '#lib/api/assets.ts';
import { readStats } from '#lib/api/operations.ts';
import { listen } from '#lib/live/changes.ts';
import { sendFile } from './sending.ts';
import { Uploads } from './uploads.svelte.ts';

export const uploads = new Uploads({
  send: sendFile,
  readAsset: (id) => readAsset(id),
  restore: restoreAsset,
  readVersions: async () => {
    const stats = await readStats();
    return { catalogue: stats.catalogue_version, index: stats.index.version ?? -1 };
  },
  listen,
  rest: (ms) => new Promise((resolve) => setTimeout(resolve, ms))
});
