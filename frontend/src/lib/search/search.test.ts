import { describe, expect, test } from 'vitest';
import { readQuestion, searchUrl } from './asking.ts';
import { reasonsOf } from './reasons.ts';

describe('the address of a search', () => {
  test('holds words, mode and filters, and gives them back', () => {
    const url = searchUrl('red boat', new URLSearchParams('mode=text&tag=summer'));
    const params = new URL(url, 'http://localhost').searchParams;
    expect(readQuestion(params)).toEqual({ q: 'red boat', mode: 'text', like: '', byPicture: false });
    expect(params.get('tag')).toBe('summer');
  });

  test('without words is the gallery, with the same filters', () => {
    expect(searchUrl('  ', new URLSearchParams('q=old&mode=text&tag=summer'))).toBe('/?tag=summer');
    expect(searchUrl('', new URLSearchParams('like=abc'))).toBe('/');
  });

  test('an unknown mode is the default', () => {
    expect(readQuestion(new URLSearchParams('q=a&mode=psychic')).mode).toBe('hybrid');
  });
});

describe('why a result is there', () => {
  const text = { rank: 2, score: 7.1, fields: [{ field: 'caption', words: ['Red', 'boats'] }] };
  const semantic = { rank: 1, similarity: 0.834 };

  test('names the words and where they stand', () => {
    const [reason] = reasonsOf({ text, semantic: null }, 'words');
    expect(reason?.short).toBe('“red” “boats”');
    expect(reason?.long).toBe('“Red”, “boats” in its caption (number 2 by words)');
  });

  test('tells likeness to words from likeness to a picture', () => {
    expect(reasonsOf({ text: null, semantic }, 'words')[0]?.long).toContain('what was asked for: 83% alike');
    expect(reasonsOf({ text: null, semantic }, 'picture')[0]?.long).toContain('the picture: 83% alike');
  });

  test('gives both where both matched, words first', () => {
    expect(reasonsOf({ text, semantic }, 'words').map((reason) => reason.kind)).toEqual(['text', 'semantic']);
  });
});
