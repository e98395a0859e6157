/**
 * Development runs TypeScript as it is; Node runs no TypeScript inside node_modules. This makes the package that is
 * published: dist/ with JavaScript, the files it reads, and a manifest that names exactly the packages it imports.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

interface RootManifest {
  readonly name: string
  readonly version: string
  readonly description: string
  readonly license: string
  readonly engines: Readonly<Record<string, string>>
  readonly bin: Readonly<Record<string, string>>
  readonly imports: Readonly<Record<string, string>>
  readonly dependencies: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
}

function compile(dist: string): void {
  const tsc = join(root, 'node_modules', '.bin', 'tsc')
  const options = ['--project', 'tools/tsconfig.build.json', '--outDir', dist]
  const outcome = spawnSync(tsc, options, { cwd: root, encoding: 'utf8' })
  if (outcome.status !== 0) throw new Error(`tsc failed:\n${outcome.stdout}${outcome.stderr}`)
}

/** Pages, word lists and whatever else the sources read at run time. */
function copyAssets(dist: string): void {
  const isSource = /\.ts$|\.snap$/
  for (const path of globSync('{src,examples}/**/*.*', { cwd: root })) {
    if (!isSource.test(path)) cpSync(join(root, path), join(dist, path))
  }
  cpSync(join(root, 'bin'), join(dist, 'bin'), { recursive: true })
  cpSync(join(root, 'tools', 'verify-ledger.py'), join(dist, 'tools', 'verify-ledger.py'))
  for (const name of ['README.md', 'LICENSE', 'SECURITY.md']) {
    if (existsSync(join(root, name))) cpSync(join(root, name), join(dist, name))
  }
}

/**
 * Addresses of sibling files (workers, the demo server) name the `.ts` file; the compiler rewrites only imports.
 * @throws when an address leads to no file of the package
 */
export function rewriteAddresses(text: string, folder: string, exists: (path: string) => boolean): string {
  return text.replaceAll(/(['"])(\.{1,2}\/[\w./-]+)\.ts\1/g, (whole, quote: string, stem: string) => {
    if (exists(join(folder, `${stem}.js`))) return `${quote}${stem}.js${quote}`
    throw new Error(`${folder} refers to ${whole}, which is not part of the package`)
  })
}

/** Names of the packages that a compiled file imports. */
export function importedPackages(text: string): string[] {
  const specifiers = [
    ...text.matchAll(/^\s*(?:import|export)\b[^'"`;]*?from\s*['"]([^'"]+)['"]/gm),
    ...text.matchAll(/^\s*import\s*['"]([^'"]+)['"]/gm),
    ...text.matchAll(/\bimport\(\s*['"]([^'"]+)['"]\s*\)/g),
    ...text.matchAll(/\bimport\.meta\.resolve\(\s*['"]([^'"]+)['"]\s*\)/g),
  ].map((match) => match[1] ?? '')
  return specifiers
    .filter((specifier) => /^[@a-z]/.test(specifier) && !isBuiltin(specifier))
    .map((specifier) => specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/'))
}

function finish(dist: string): Set<string> {
  const packages = new Set<string>()
  for (const path of globSync('{src,examples}/**/*.js', { cwd: dist })) {
    const file = join(dist, path)
    const text = rewriteAddresses(readFileSync(file, 'utf8'), dirname(file), existsSync)
    for (const name of importedPackages(text)) packages.add(name)
    writeFileSync(file, text)
  }
  return packages
}

/** The published manifest. @throws when the code imports a package that no version is decided for */
export function publishedManifest(manifest: RootManifest, packages: Iterable<string>): Record<string, unknown> {
  const decided = { ...manifest.devDependencies, ...manifest.dependencies }
  const dependencies = [...packages].sort().map((name): [string, string] => {
    const version = decided[name]
    if (version === undefined) throw new Error(`the code imports ${name}, which package.json does not name`)
    return [name, version]
  })
  return {
    name: manifest.name,
    version: manifest.version,
    description: manifest.description,
    license: manifest.license,
    type: 'module',
    engines: manifest.engines,
    bin: manifest.bin,
    files: ['bin', 'src', 'tools', 'examples', 'README.md', 'LICENSE', 'SECURITY.md'],
    imports: Object.fromEntries(
      Object.entries(manifest.imports).map(([name, target]) => [name, target.replace(/\.ts$/, '.js')]),
    ),
    dependencies: Object.fromEntries(dependencies),
  }
}

/** Builds the package into a folder, which is emptied first. */
export function build(dist: string): void {
  rmSync(dist, { recursive: true, force: true })
  mkdirSync(dist)
  compile(dist)
  copyAssets(dist)
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as RootManifest
  const published = publishedManifest(manifest, finish(dist))
  writeFileSync(join(dist, 'package.json'), `${JSON.stringify(published, undefined, 2)}\n`)
}

if (import.meta.main) {
  build(join(root, 'dist'))
  console.log('dist/ is the package: npm pack ./dist')
}
