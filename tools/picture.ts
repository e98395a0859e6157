/** The README's picture is a real run: this starts Castellan, runs the demo call and draws what the terminal showed. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { callAdmin } from '../test/world/people.ts'
import { oneTimeCode } from '../test/world/one-time-code.ts'
import { freePorts, runProgram, startProgram } from '../test/world/program.ts'

const launcher = fileURLToPath(new URL('../bin/castellan.js', import.meta.url))
const target = fileURLToPath(new URL('../docs/pictures/first-call.svg', import.meta.url))
const password = 'a castle above the quiet river'
const stepMs = 30_000
const [columns, lineHeight, charWidth, padding] = [116, 20, 8.4, 24]

function escapeXml(text: string): string {
  // WHY: viewers of SVG fold runs of spaces in different ways; none folds these.
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll(' ', '\u00a0')
}

function styled(line: string): string {
  const text = escapeXml(line.slice(0, columns))
  if (line.startsWith('$ ')) return `<tspan fill="#7fd1ae">$</tspan><tspan fill="#fff">${text.slice(1)}</tspan>`
  if (line.startsWith('ok ')) return `<tspan fill="#7fd1ae">ok</tspan>${text.slice(2)}`
  return text
}

function draw(lines: readonly string[]): string {
  const [width, height] = [columns * charWidth + 2 * padding, lines.length * lineHeight + 2 * padding]
  const rows = lines.map(
    (line, index) => `<text x="${padding}" y="${padding + 15 + index * lineHeight}">${styled(line)}</text>`,
  )
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    '<title>A tool call through Castellan in a terminal, and the ledger verified after it</title>',
    `<rect width="${width}" height="${height}" rx="10" fill="#14211c"/>`,
    '<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="14" fill="#c9d6cf">',
    ...rows,
    '</g>',
    '</svg>',
    '',
  ].join('\n')
}

async function enrolAna(setupUrl: string): Promise<{ secret: string; usedAtMs: number }> {
  const { origin, hash } = new URL(setupUrl)
  const token = hash.slice(1)
  const post = (path: string, body: unknown) => callAdmin(origin, { method: 'POST', path, body })
  const chosen = await post('/enrolments/choose', { token, name: 'ana', password })
  const secret = String(chosen.body['secret'])
  const usedAtMs = Date.now()
  await post('/enrolments/finish', { token, code: oneTimeCode(secret, usedAtMs) })
  return { secret, usedAtMs }
}

async function record(): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'castellan-picture-'))
  const [gateway, admin] = await freePorts(2)
  const env = {
    PATH: process.env['PATH'],
    HOME: folder,
    LANG: 'C.UTF-8',
    COLUMNS: String(columns),
    CASTELLAN_DATA_DIR: join(folder, 'data'),
    CASTELLAN_GATEWAY__PORT: String(gateway),
    CASTELLAN_ADMIN__PORT: String(admin),
  }
  const server = startProgram(process.execPath, [launcher, 'up'], { env })
  const lines: string[] = []
  const show = async (...args: string[]): Promise<void> => {
    const { code, output } = await runProgram(process.execPath, [launcher, ...args], { env })
    if (code !== 0) throw new Error(`castellan ${args.join(' ')} ended with ${code}: ${output}`)
    lines.push(`$ npx castellan ${args.join(' ')}`, ...output.replaceAll(folder, '~').trimEnd().split('\n'), '')
  }
  try {
    const [, url] = await server.waitFor(/"setupUrl":"([^"]+)"/)
    const { secret, usedAtMs } = await enrolAna(url ?? '')
    await sleep((Math.floor(usedAtMs / stepMs) + 1) * stepMs - Date.now())
    const code = oneTimeCode(secret, Date.now())
    await runProgram(process.execPath, [launcher, 'login', '--name', 'ana', '--password-stdin', '--code', code], {
      env,
      input: password,
    })
    await show('demo', 'call')
    await show('audit', 'verify')
    return lines.slice(0, -1)
  } finally {
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

const lines = await record()
mkdirSync(dirname(target), { recursive: true })
writeFileSync(target, draw(lines))
console.log(lines.join('\n'))
