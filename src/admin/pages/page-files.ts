import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type LookFile, mark, theme } from '#identity'

const served: readonly (readonly [path: string, file: string, contentType: string])[] = [
  ['/setup', 'setup.html', 'text/html; charset=utf-8'],
  ['/assets/setup.css', 'setup.css', 'text/css; charset=utf-8'],
  ['/assets/setup.js', 'setup.js', 'text/javascript; charset=utf-8'],
  ['/assets/page-parts.js', 'page-parts.js', 'text/javascript; charset=utf-8'],
  ['/assets/enrolment-api.js', 'enrolment-api.js', 'text/javascript; charset=utf-8'],
  ['/assets/draw-qr.js', 'draw-qr.js', 'text/javascript; charset=utf-8'],
]

/** Every file of the pages by the path it is served at, read once. They lie beside this module, compiled or not. */
export function pageFiles(): Map<string, LookFile> {
  const own = served.map(([path, file, contentType]): [string, LookFile] => [
    path,
    { bytes: new Uint8Array(readFileSync(join(import.meta.dirname, file))), contentType },
  ])
  return new Map([...own, ['/assets/theme.css', theme], ['/assets/mark.svg', mark]])
}
