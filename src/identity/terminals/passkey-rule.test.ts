import { expect, test } from 'vitest'
import type { Principal } from '#kernel'
import { eachDatabase } from '../../../test/world/databases.ts'
import { identitySettings, places, refusalOf } from '../../../test/world/identity.ts'
import type { Parts } from '../parts.ts'
import { createTerminals } from './create-terminals.ts'

const ana: Principal = {
  id: 'ana',
  name: 'ana',
  roles: ['admin'],
  factors: ['password', 'totp'],
  client: { id: 'castellan-cli', name: 'Castellan in a terminal', scopes: ['castellan:admin'] },
  credential: { kind: 'oauth-token', id: 'token', expiresAt: Number.MAX_SAFE_INTEGER },
}

eachDatabase('the terminal of an administrator who has to have a passkey', (open) => {
  test('can do nothing but what a session can without one', async () => {
    const settings = { ...identitySettings, administratorsNeedPasskey: true }
    // WHY: what it judges by is the whole of its parts; the others are never asked.
    const parts = { database: await open(), places, settings } as unknown as Parts
    const { authenticate } = createTerminals(parts, () => ana)
    expect(refusalOf(await authenticate('coa_'))).toBe('identity.passkey-needed')
    expect(await authenticate('coa_', { address: '', isRegistering: true })).toBe(ana)
  })
})
