/** The official libraries go the whole way: told 401, find, register, ask, redeem, call, refresh, and are asked again. */
import { type Kept, libraries, type Library } from '../../test/world/oauth/libraries.ts'
import { post } from '../../test/world/oauth/client.ts'
import { type Cells, must } from './cells.ts'
import { nativeRedirect } from '../../test/world/oauth/client.ts'
import type { Stage } from './stage.ts'
import { mustBeKnown, type Way, ways } from './ways.ts'

async function mustAsk(library: Library, url: URL, kept: Kept): Promise<string> {
  const failed = await library.connect(url, kept).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  must(failed instanceof library.asksPerson, `the person was not asked: ${String(failed)}`)
  const { sentTo } = kept
  must(sentTo !== undefined, 'no address was opened')
  must(sentTo.searchParams.get('resource') === url.href, `asked for ${sentTo.searchParams.get('resource')}`)
  must(sentTo.searchParams.get('code_challenge_method') === 'S256', 'no S256')
  return sentTo.href
}

async function mustServe(library: Library, url: URL, kept: Kept, tool: string): Promise<void> {
  const client = await library.connect(url, kept)
  try {
    const { tools } = await client.listTools()
    must(
      tools.some(({ name }) => name === tool),
      `the tools are ${tools.map(({ name }) => name).join(', ')}`,
    )
    must(JSON.stringify(await client.callTool({ name: tool, arguments: {} })).includes('content'), 'no content')
  } finally {
    await client.close()
  }
}

interface Walk {
  readonly library: Library
  readonly tool: string
}

async function walk({ castellan, url, consent }: Stage, cells: Cells, { library, tool }: Walk): Promise<void> {
  const name = `SDK ${library.name}`
  const kept: Kept = {}
  const asked = await cells.step(name, 'is told 401, finds the server, registers, asks', () =>
    mustAsk(library, url, kept),
  )
  if (asked === undefined) return
  await cells.step(name, 'the person says yes in the browser, and the code is redeemed', async () => {
    const answer = await consent(asked)
    must(answer.searchParams.get('iss') === castellan.gatewayUrl, `the issuer is ${answer.searchParams.get('iss')}`)
    await library.finish(url, kept, answer)
  })
  await cells.step(name, 'lists and calls', () => mustServe(library, url, kept, tool))
  await cells.step(name, 'refreshes when its access token is worth nothing', async () => {
    const first = kept.tokens?.refresh_token
    kept.tokens = { ...kept.tokens, access_token: `coa_${'x'.repeat(43)}` }
    await mustServe(library, url, kept, tool)
    must(first !== undefined && kept.tokens.refresh_token !== first, 'the refresh token was not replaced')
  })
  await cells.step(name, 'asks the person again once its grant is revoked', async () => {
    const { client_id: id } = kept.client as { client_id: string }
    const fields = { client_id: id, token: kept.tokens?.refresh_token ?? '' }
    must((await post(castellan.gatewayUrl, '/oauth/revoke', fields)).status === 200, 'not revoked')
    await mustAsk(library, url, kept)
  })
}

/** The same of a program that is known before it comes. */
async function walkKnown(stage: Stage, cells: Cells, { library, tool, way }: Walk & { way: Way }): Promise<void> {
  await cells.step(`SDK ${library.name}`, `${way.name}; let in, it lists and calls`, async () => {
    const known = await way.prepare(stage, nativeRedirect)
    const kept: Kept = {
      ...(known.id === undefined ? {} : { client: { client_id: known.id } }),
      ...(known.documentUrl === undefined ? {} : { documentUrl: known.documentUrl }),
    }
    const address = await mustAsk(library, stage.url, kept)
    await library.finish(stage.url, kept, await stage.consent(address))
    await mustServe(library, stage.url, kept, tool)
    await mustBeKnown(stage, way, address, known)
  })
}

/** @param tool one that the server offers and that takes nothing */
export async function walkLibraries(stage: Stage, cells: Cells, tool: string): Promise<void> {
  for (const library of libraries) {
    await walk(stage, cells, { library, tool })
    for (const way of [ways.administrator, ways.document]) await walkKnown(stage, cells, { library, tool, way })
  }
}
