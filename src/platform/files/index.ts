export { type DataFolder, type FolderLock, openDataFolder } from './data-folder.ts'
