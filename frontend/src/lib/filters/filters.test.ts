import { expect, test } from 'vitest';
import { chipsOf, readFilters, withoutChip, writeFilters } from './filters.ts';

const ALL = new URLSearchParams(
  'type=image&mime=image/png&tag=boat&tag=summer&status=failed&model=clip@1&orientation=square' +
    '&from=2026-01-01&to=2026-02-01&min_bytes=1000&max_bytes=2000000&rating=4'
);

test('every filter survives the way through the address', () => {
  const filters = readFilters(ALL);
  expect(Object.keys(filters)).toHaveLength(11);
  expect(readFilters(writeFilters(filters))).toEqual(filters);
});

test('nonsense in an address is left out', () => {
  const filters = readFilters(new URLSearchParams('type=spoon&rating=many&from=yesterday&tag=&status=Ready'));
  expect(filters).toEqual({});
});

test('parameters that are no filters are kept', () => {
  const params = writeFilters({ rating: 3 }, new URLSearchParams('q=boat&tag=old'));
  expect(params.toString()).toBe('q=boat&rating=3');
});

test('each filter is one chip, and each tag its own', () => {
  const chips = chipsOf(readFilters(ALL));
  expect(chips).toHaveLength(12);
  expect(chips.map((chip) => chip.label)).toContain('#summer');
  expect(chips.map((chip) => chip.label)).toContain('4+ stars');
  expect(chips.map((chip) => chip.label)).toContain('PNG');
});

test('taking a chip away takes only what it stands for', () => {
  const filters = readFilters(new URLSearchParams('tag=boat&tag=summer&rating=4'));
  const [boat] = chipsOf(filters);
  if (!boat) throw new Error('no chip');
  expect(withoutChip(filters, boat)).toEqual({ tag: ['summer'], rating: 4 });
  expect(withoutChip({ tag: ['boat'] }, boat)).toEqual({});
});
