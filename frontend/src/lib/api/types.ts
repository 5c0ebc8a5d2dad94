/** Names for the generated types; nothing is declared here that the API's description already says. */
import type { components, operations } from './schema.d.ts';

type Schemas = components['schemas'];

export type Asset = Schemas['Asset'];
export type AssetEdit = Schemas['AssetEdit'];
export type BatchEdit = Schemas['BatchEdit'];
export type BatchOutcome = Schemas['BatchOutcome'];
export type Day = Schemas['Day'];
export type Revision = Schemas['Revision'];
export type FieldChange = Schemas['FieldChange'];
export type SearchAnswer = Schemas['SearchAnswer'];
export type SearchResult = Schemas['SearchResult'];
export type Matched = Schemas['Matched'];
export type Jobs = Schemas['Jobs'];
export type Stats = Schemas['Stats'];
export type Change = Schemas['Event'];
export type Session = Schemas['Session'];
export type Scope = Schemas['Scope'];
export type Models = Schemas['Models'];
export type Problem = Schemas['Problem'];
export type Conflict = Schemas['ConflictProblem'];

export type Filters = Omit<NonNullable<operations['list_assets']['parameters']['query']>, 'limit' | 'cursor'>;
export type SearchQuery = NonNullable<operations['search_assets']['parameters']['query']>;
export type SearchMode = NonNullable<SearchQuery['mode']>;
