export { type Database, type DatabaseOptions, isDuplicate, openDatabase } from './database.ts'
export { loadTogether } from './load-together.ts'
export { type Remembered, rememberByRevision } from './remember-by-revision.ts'
export type { Tables } from './tables.ts'
