import { expect, test } from 'vitest';
import { count, formatAgo, formatBytes, formatDay, formatMaker } from './text.ts';

const NOW = new Date('2026-05-03T12:00:00Z');

test('bytes read as a file manager shows them', () => {
  expect([0, 999, 48_213, 2_400_000, 183_400_220].map(formatBytes)).toEqual([
    '0 bytes',
    '999 bytes',
    '48.2 KB',
    '2.4 MB',
    '183 MB'
  ]);
});

test('a day is named by how far away it is', () => {
  expect(formatDay('2026-05-03', NOW)).toBe('Today');
  expect(formatDay('2026-05-02', NOW)).toBe('Yesterday');
  expect(formatDay('2026-01-09', NOW)).toBe('Friday, January 9');
  expect(formatDay('2024-01-09', NOW)).toBe('Tue, January 9, 2024');
});

test('a time ago is told in its largest whole unit', () => {
  const now = NOW.getTime();
  expect(formatAgo('2026-05-03T11:59:30Z', now)).toBe('30 seconds ago');
  expect(formatAgo('2026-05-03T09:00:00Z', now)).toBe('3 hours ago');
  expect(formatAgo('2026-05-01T12:00:00Z', now)).toBe('2 days ago');
});

test('a maker is a person’s name, or a model with a short revision', () => {
  expect(formatMaker('person:ada')).toBe('ada');
  expect(formatMaker('Salesforce/blip-image-captioning-base@82a37760796d')).toBe(
    'blip-image-captioning-base @ 82a37760'
  );
  expect(formatMaker(null)).toBe('');
});

test('one is singular', () => {
  expect(count(1, 'picture')).toBe('1 picture');
  expect(count(1204, 'picture')).toBe('1,204 pictures');
});
