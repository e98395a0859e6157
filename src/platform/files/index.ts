export { type DataFolder, type FolderLock, openDataFolder } from './data-folder.ts'
export { type ReadText, readText } from './read-text.ts'
export { readAtRest, refuseCut } from './whole-file.ts'
