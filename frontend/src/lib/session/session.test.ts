import { describe, expect, it, vi } from 'vitest';

vi.mock('$app/state', () => ({ page: { data: {} } }));
const { may, nextPath, signInPath } = await import('./session.ts');

const at = (path: string): URL => new URL(path, 'https://gallery.example');

describe('signing in', () => {
  it('leads back to where one was', () => {
    const path = signInPath(at('/search?q=red+boat&tag=a'));
    expect(nextPath(at(path))).toBe('/search?q=red+boat&tag=a');
  });

  it.each([
    'https://evil.example/x',
    '//evil.example',
    'javascript:alert(1)',
    '/signin?next=/signin',
    '\\\\evil.example'
  ])('never leads to %s', (next) => {
    expect(nextPath(at(`/signin?next=${encodeURIComponent(next)}`))).toBe('/');
  });

  it('stays on its page when it is there already', () => {
    expect(signInPath(at('/signin?next=%2Fjobs'))).toBe('/signin?next=%2Fjobs');
  });

  it('offers everything while nobody knows', () => {
    expect(may('edit')).toBe(true);
  });
});
