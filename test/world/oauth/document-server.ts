import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { atEnd } from '../../ending.ts'
import { type Leaf, makeAuthority } from '../wire/tls.ts'

/** A server of client metadata documents, over HTTPS on this machine. */
export interface DocumentServer {
  /** `https://localhost:<port>` */
  readonly url: string
  /** Paths that were asked for. */
  readonly asked: string[]
}

type Answers = (req: IncomingMessage, res: ServerResponse, url: string) => void

/** Starts one with this certificate. */
export async function openDocumentServer(
  leaf: Pick<Leaf, 'certificate' | 'key'>,
  answer: Answers,
): Promise<DocumentServer & { readonly close: () => void }> {
  const asked: string[] = []
  let url = ''
  const server = createServer({ cert: leaf.certificate, key: leaf.key }, (req, res) => {
    asked.push(req.url ?? '')
    answer(req, res, url)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `https://localhost:${(server.address() as AddressInfo).port}`
  const close = (): void => {
    server.closeAllConnections()
    server.close()
  }
  return { url, asked, close }
}

/** Starts one whose certificate this process trusts until the test ends. */
export async function startDocumentServer(answer: Answers): Promise<DocumentServer> {
  const authority = await makeAuthority()
  const before = getCACertificates('default')
  setDefaultCACertificates([...before, authority.certificate])
  const { close, ...server } = await openDocumentServer(await authority.issue(), answer)
  atEnd(() => {
    setDefaultCACertificates(before)
    close()
  })
  return server
}
