/** Everything that counts once, made ready at two nodes. */
import type { AssertingProvider } from '../../test/world/oauth/asserting-provider.ts'
import { approvalKinds } from './kinds/approvals.ts'
import { identifierKinds } from './kinds/identifiers.ts'
import { linkKinds } from './kinds/links.ts'
import { oauthKinds, openClient } from './kinds/oauth.ts'
import { passkeyKinds } from './kinds/passkeys.ts'
import { signInKinds } from './kinds/sign-in.ts'
import { singleSignOnKinds } from './kinds/single-sign-on.ts'
import { stepUpKinds } from './kinds/step-ups.ts'
import type { Kind } from './race.ts'
import type { Stage } from './stage.ts'

/** @param provider whose assertions both nodes accept */
export async function makeKinds(
  stage: Stage,
  provider: AssertingProvider,
): Promise<{ readonly kinds: readonly Kind[]; close(): void }> {
  const client = await openClient(stage, stage.nodes.first.ana)
  const signOn = await singleSignOnKinds(stage)
  const stepUps = await stepUpKinds(stage)
  const approvals = await approvalKinds(stage)
  const kinds = [
    ...(await oauthKinds(stage, client)),
    ...(await identifierKinds(stage, client, provider)),
    ...signOn.kinds,
    ...(await passkeyKinds(stage)),
    ...(await signInKinds(stage)),
    ...(await linkKinds(stage)),
    ...stepUps.kinds,
    ...approvals.kinds,
  ]
  const close = (): void => {
    signOn.close()
    stepUps.close()
    approvals.close()
  }
  return { kinds, close }
}
