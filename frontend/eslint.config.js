import js from '@eslint/js';
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';

export default ts.config(
  { ignores: ['build/', '.svelte-kit/', 'src/lib/api/schema.d.ts', 'test-results/', 'playwright-report/'] },
  js.configs.recommended,
  ...ts.configs.strict,
  ...ts.configs.stylistic,
  ...svelte.configs.recommended,
  { languageOptions: { globals: { ...globals.browser, ...globals.node } } },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: ts.parser, extraFileExtensions: ['.svelte'] } },
    rules: {
      // The gallery is served from the root of its host; links are plain paths.
      'svelte/no-navigation-without-resolve': 'off',
      // Bookkeeping that nothing is drawn from stays in plain maps and sets.
      'svelte/prefer-svelte-reactivity': 'off'
    }
  },
  { rules: { 'no-undef': 'off' /* TypeScript knows better */, eqeqeq: ['error', 'always'] } }
);
