import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { atEnd } from '../../ending.ts'
import { makeAuthority } from '../wire/tls.ts'

/** A server of client metadata documents, over HTTPS on this machine. */
export interface DocumentServer {
  /** `https://localhost:<port>` */
  readonly url: string
  /** Paths that were asked for. */
  readonly asked: string[]
}

/** Starts one whose certificate this process trusts until the test ends. */
export async function startDocumentServer(
  answer: (req: IncomingMessage, res: ServerResponse, url: string) => void,
): Promise<DocumentServer> {
  const authority = await makeAuthority()
  const leaf = await authority.issue()
  const before = getCACertificates('default')
  setDefaultCACertificates([...before, authority.certificate])
  const asked: string[] = []
  let url = ''
  const server = createServer({ cert: leaf.certificate, key: leaf.key }, (req, res) => {
    asked.push(req.url ?? '')
    answer(req, res, url)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `https://localhost:${(server.address() as AddressInfo).port}`
  atEnd(() => {
    setDefaultCACertificates(before)
    server.closeAllConnections()
    server.close()
  })
  return { url, asked }
}
