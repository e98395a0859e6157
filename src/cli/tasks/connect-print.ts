import { clientTable } from '../clients/client-table.ts'
import type { Format } from '../clients/client.ts'
import { editText, parseText } from '../clients/edit-file.ts'
import { locate, shortPath } from '../clients/locate.ts'
import type { Invocation } from '../invocation.ts'
import { findClient, machineOf, wishesOf, type Request } from './connect-plan.ts'
import { showAuthority } from './connect-show.ts'
import { writeTokenFile } from './connect-write.ts'

/** Makes the text of a file that holds this entry and nothing else. */
async function pasteText(request: Request, token: string, { terminal }: Invocation) {
  const { place } = clientTable[request.clientName] ?? {}
  const format: Format = place?.format ?? 'json'
  const text = await editText(undefined, { format, wishes: wishesOf(request, token) })
  const path = place === undefined ? undefined : locate(place, request.scope, machineOf(terminal))?.path
  return { text, document: await parseText(text, format), file: path }
}

/** Prints what to run or paste, with a token that was made for it. Only the token of a bridge is written, to its own file. */
export async function printConnection(
  invocation: Invocation,
  request: Request,
  minted: { token: string; id: string; expiresAt: string | undefined },
): Promise<void> {
  const { output, terminal } = invocation
  const { clientName, name, url, scope } = request
  const client = findClient(clientName)
  const { token, id: tokenId, expiresAt } = minted
  const isBridged = client.reach === 'bridge' || request.wantsBridge
  if (isBridged) writeTokenFile(request.tokenFile, token)
  const { text, document, file } = await pasteText(request, token, invocation)
  const command = request.wantsBridge ? undefined : client.command?.({ name, url, scope, header: `Bearer ${token}` })
  const facts = {
    client: clientName,
    title: client.title,
    file,
    text,
    document,
    command,
    resource: url,
    token,
    tokenId,
    expiresAt,
  }
  output.result({ ...facts, next: client.next }, () => {
    if (command !== undefined) {
      output.note({ text: `${client.title}: run this`, tone: 'strong' })
      output.line(command)
    }
    if (client.isRunByCommand !== true) {
      const where = file === undefined ? 'its file' : shortPath(file, terminal.home)
      output.note({
        text: `${command === undefined ? `${client.title}: put` : 'or put'} this into ${where}`,
        tone: 'strong',
      })
      for (const line of text.trimEnd().split('\n')) output.line(line)
      if (isBridged) output.note(`the token: ${shortPath(request.tokenFile, terminal.home)}`)
      else if (!text.includes(token)) output.line(`CASTELLAN_TOKEN=${token}`)
    }
    showAuthority(invocation, url)
    output.note(`the token is shown once, works for ${url} only, until ${expiresAt ?? 'it is revoked'}`)
    output.note(`next: ${client.next}; see the calls with \`castellan audit tail\``)
  })
}
