import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { findPackageJSON } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium, type Browser } from 'playwright-core'

// WHY: the package's own list has `--single-process`, which crashes on the second context.
const launchArgs = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking']

/** Version of the browser's package, from the manifest above its entry (its exports do not name it). */
function packageVersion(): string {
  const manifest: unknown = JSON.parse(
    readFileSync(findPackageJSON('@sparticuz/chromium', import.meta.url) ?? '', 'utf8'),
  )
  const version = typeof manifest === 'object' && manifest !== null && 'version' in manifest ? manifest.version : ''
  return String(version)
}

/** The program: `CHROMIUM_PATH`, or the one of the lock file, unpacked once per version. */
async function chromiumPath(): Promise<string> {
  const chosen = process.env['CHROMIUM_PATH']
  if (chosen !== undefined && chosen !== '') return chosen
  // WHY: the package unpacks to `<TMPDIR>/chromium` and reuses whatever lies there, also of another version.
  const folder = join(tmpdir(), `castellan-chromium-${packageVersion()}`)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const before = process.env['TMPDIR']
  process.env['TMPDIR'] = folder
  try {
    const { default: packaged } = await import('@sparticuz/chromium')
    return await packaged.executablePath()
  } finally {
    if (before === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = before
  }
}

/** Runs a piece of work with a real browser and closes it afterwards, also when the work fails. */
export async function withBrowser<T>(work: (browser: Browser) => Promise<T>): Promise<T> {
  const executablePath = await chromiumPath()
  if (!existsSync(executablePath)) throw new Error(`there is no browser at ${executablePath}; set CHROMIUM_PATH`)
  const browser = await chromium.launch({ executablePath, args: launchArgs, headless: true })
  try {
    return await work(browser)
  } finally {
    await browser.close()
  }
}
