/**
 * Which roles, policies and tests does a policy folder hold?
 * Stops: files that nobody would read; roles that are not well formed, shipped ones, and two of one name.
 * Trusts: nothing.
 * Fails: every problem is told with its file and line; a folder with one is not used at all.
 */
import * as z from 'zod'
import { isRefusal } from '#kernel'
import { policyFileName, type PolicyFile, type PolicyProblem, sourceLimits } from '../cedar/source.ts'
import { checkRole, plainGrant } from '../roles/role.ts'
import { shippedRoles } from '../roles/shipped.ts'
import type { DocumentRole, PolicyContents } from '../snapshot/document.ts'
import { readYaml, type Place } from './read-yaml.ts'

/** One file of a folder, with its path from there, steps separated by `/`. */
export interface FolderFile {
  readonly path: string
  readonly text: string
}

export type ReadFolder =
  | { readonly contents: PolicyContents; readonly problems?: never }
  | { readonly problems: readonly PolicyProblem[] }

export const folderLimits = { maxFiles: 512, maxTotalBytes: 8_388_608 } as const

const grant = z.strictObject({
  permissions: z.array(z.string()),
  resources: z.array(z.string()),
  stepUp: z.literal(true).exactOptional(),
  when: z.string().exactOptional(),
})
const roleParts = {
  description: z.string().default(''),
  owner: z.string().exactOptional(),
  grants: z.array(grant),
}
const oneRole = z.strictObject({ name: z.string().exactOptional(), ...roleParts })
const manyRoles = z.strictObject({ roles: z.array(z.strictObject({ name: z.string(), ...roleParts })) })

const rolePath = /^roles\/([^/]+)\.ya?ml$/
const testPath = /^tests\/(?=.{1,128}$)[A-Za-z0-9][A-Za-z0-9_.-]*(\/[A-Za-z0-9][A-Za-z0-9_.-]*)*\.ya?ml$/

interface PlacedRole extends DocumentRole {
  readonly file: string
  readonly place: Place
}

function readRoles({ path, text }: FolderFile): { roles: PlacedRole[]; problems: readonly PolicyProblem[] } {
  const file = { name: path, text }
  const ownName = rolePath.exec(path)?.[1]
  const more = { isShipped: false, file: path }
  if (ownName === undefined) {
    const read = readYaml(file, manyRoles)
    if (read.problems !== undefined) return { roles: [], problems: read.problems }
    const roles = read.value.roles.map((role, at) => ({ ...role, ...more, place: read.place(['roles', at]) }))
    return { roles, problems: [] }
  }
  const read = readYaml(file, oneRole)
  if (read.problems !== undefined) return { roles: [], problems: read.problems }
  const { name = ownName } = read.value
  const says = `the file is called \`${ownName}\`, and the role in it \`${name}\``
  if (name !== ownName) return { roles: [], problems: [{ says, file: path, ...read.place(['name']) }] }
  return { roles: [{ ...read.value, name, ...more, place: read.place([]) }], problems: [] }
}

function problemsOfRoles(roles: readonly PlacedRole[]): PolicyProblem[] {
  const seen = new Set<string>()
  const shipped = new Set(shippedRoles.map(({ name }) => name))
  return roles.flatMap((role) => {
    const found = { file: role.file, ...role.place }
    const isTwice = seen.has(role.name)
    seen.add(role.name)
    if (isTwice) return [{ says: `there are two roles \`${role.name}\``, ...found }]
    if (shipped.has(role.name))
      return [{ says: `role \`${role.name}\` is shipped with castellan and stays as it is`, ...found }]
    const refusal = checkRole(role)
    return isRefusal(refusal) ? [{ says: `${refusal.says}; ${refusal.hint}`, ...found }] : []
  })
}

function problemOfSize(files: readonly FolderFile[]): PolicyProblem | undefined {
  if (files.length > folderLimits.maxFiles) return { says: `there are more than ${folderLimits.maxFiles} files` }
  const bytes = files.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0)
  return bytes > folderLimits.maxTotalBytes
    ? { says: `the files hold more than ${folderLimits.maxTotalBytes} bytes together` }
    : undefined
}

/** Where a file belongs; a problem when nothing would ever read it. */
function sort(files: readonly FolderFile[]) {
  const found = { roles: [] as FolderFile[], policies: [] as PolicyFile[], tests: [] as PolicyFile[] }
  const problems: PolicyProblem[] = []
  const seen = new Set<string>()
  for (const file of files) {
    const { path, text } = file
    if (seen.has(path)) problems.push({ says: 'the file is there twice', file: path })
    seen.add(path)
    const policyName = path.startsWith('policies/') ? path.slice('policies/'.length) : ''
    if (/^roles\.ya?ml$/.test(path) || rolePath.test(path)) found.roles.push(file)
    else if (policyFileName.test(policyName)) found.policies.push({ name: policyName, text })
    else if (testPath.test(path)) found.tests.push({ name: path.slice('tests/'.length), text })
    else
      problems.push({
        says: 'nothing reads this file: there are `roles/<role>.yaml` or `roles.yaml`, `policies/<name>.cedar` and `tests/<name>.yaml`, in lower case',
        file: path,
      })
  }
  if (found.policies.length > sourceLimits.maxFiles) {
    problems.push({ says: `there are more than ${sourceLimits.maxFiles} policy files` })
  }
  return { ...found, problems }
}

/**
 * Reads a policy folder. Policies and tests are texts here, which are judged by who compiles and runs them.
 */
export function readFolder(files: readonly FolderFile[]): ReadFolder {
  const size = problemOfSize(files)
  if (size !== undefined) return { problems: [size] }
  const sorted = sort(files)
  const read = sorted.roles.map(readRoles)
  const placed = read.flatMap(({ roles }) => roles)
  const problems = [...sorted.problems, ...read.flatMap((one) => one.problems), ...problemsOfRoles(placed)]
  if (problems.length > 0) return { problems }
  const roles = placed.map(({ name, description, owner, grants }) => ({
    name,
    description,
    ...(owner !== undefined && { owner }),
    grants: grants.map(plainGrant),
    isShipped: false,
  }))
  return { contents: { roles, files: sorted.policies, tests: sorted.tests } }
}
