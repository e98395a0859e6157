import { expect, test } from 'vitest'
import * as comments from './architecture/comments.ts'
import * as doors from './architecture/doors.ts'
import * as habits from './architecture/habits.ts'
import * as imports from './architecture/imports.ts'
import * as machine from './architecture/machine.ts'
import * as names from './architecture/names.ts'
import * as sizes from './architecture/sizes.ts'
import { readDoors, readTree } from './architecture/tree.ts'

const { folders, paths, sources, texts } = readTree()

test.each([
  ['rooms import only downward', imports.importsUpward],
  ['the control plane does not import the data plane', imports.controlPlaneImportsGateway],
  ['nothing imports compose or main', imports.importsRoof],
  ['rooms are entered through their doors', imports.bypassesDoor],
  ['inside a room an import climbs at most one folder', imports.climbsTooFar],
  ['kernel is small and depends on nothing', imports.kernelDepends],
  ['the console imports nothing from the source', imports.consoleImportsSource],
  ['exports are written out by name', doors.exportsByStar],
  ['doors hold names and nothing else', doors.doorHoldsCode],
  ['only doors re-export', doors.onlyReExports],
  ['there are no default exports', doors.exportsDefault],
  ['only platform and the plug folders touch the machine', machine.touchesMachine],
  ['built-in modules are named with node:', machine.importsBuiltinBare],
  ['comments tell no history', comments.commentsTellHistory],
  ['no code is commented out', comments.commentsHoldCode],
  ['comments inside functions give a reason', comments.commentsNarrate],
  ['files of floors 2 to 4 open with their header', comments.lacksHeader],
  ['tools open with the reason they exist', comments.toolLacksReason],
  ['the type checker is not silenced', comments.silencesChecker],
  ['declarations are named by plain nouns and verbs', names.badDeclarations],
  ['test titles are claims', habits.titlesHedge],
  ['no module is mocked', habits.mocksModules],
  ['nothing is cast through unknown', habits.castsTwice],
  ['files stay within their ceilings', sizes.filesTooLong],
  ['functions stay within their ceiling', sizes.functionsTooLong],
  ['no source is empty', sizes.emptyFiles],
])('%s', (_title, rule) => {
  expect(rule(sources)).toEqual([])
})

test('every room has its door in package.json', () => {
  expect(doors.doorsAndRoomsDiffer(sources, readDoors())).toEqual([])
})

test('files and folders are named in kebab-case by what they hold', () => {
  expect(names.badFileNames(paths)).toEqual([])
})

test('folders are neither full, deep nor empty', () => {
  expect([
    ...sizes.foldersTooFull(paths),
    ...sizes.foldersTooDeep(paths),
    ...sizes.emptyFolders(folders, paths),
  ]).toEqual([])
})

test('no file names a path of the machine it was written on', () => {
  expect(names.namesMachine(texts)).toEqual([])
})
