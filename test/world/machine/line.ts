import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** A line to the test database server that can fall silent without breaking, and break. */
export interface Line {
  /** The same database, reached over this line. */
  readonly url: string
  freeze(): void
  thaw(): void
  /** Breaks what is open and takes nothing new. */
  cut(): void
  mend(): void
}

/** @param url of a database of the test server, which listens on a socket in its folder */
export async function openLine(url: string): Promise<Line> {
  const target = new URL(url)
  const path = join(decodeURIComponent(target.hostname), '.s.PGSQL.5432')
  const ends = new Set<Socket>()
  let isFrozen = false
  let isCut = false
  const server = createServer((near) => {
    if (isCut) return void near.destroy()
    const far = connect(path)
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      ends.add(from)
      from.on('data', (chunk: Buffer) => to.write(chunk))
      from.on('error', () => undefined)
      from.once('close', () => {
        ends.delete(from)
        to.destroy()
      })
      if (isFrozen) from.pause()
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.close()
    for (const end of ends) end.destroy()
  })
  const { port } = server.address() as AddressInfo
  return {
    url: `postgres://${target.username}@127.0.0.1:${port}${target.pathname}`,
    freeze() {
      isFrozen = true
      for (const end of ends) end.pause()
    },
    thaw() {
      isFrozen = false
      for (const end of ends) end.resume()
    },
    cut() {
      isCut = true
      for (const end of ends) end.destroy()
    },
    mend() {
      isCut = false
    },
  }
}
