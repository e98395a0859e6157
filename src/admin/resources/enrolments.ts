import { isRefusal } from '#kernel'
import { encode } from 'uqr'
import { z } from 'zod'
import { openRoute } from '../route.ts'
import { nameText, secretText } from '../shapes.ts'

/** Modules of a QR code, a row a string of `1` (dark) and `0` (light), without the quiet zone. */
function qrRows(text: string): string[] {
  return encode(text, { ecc: 'M', border: 0 }).data.map((row) => row.map((isDark) => (isDark ? '1' : '0')).join(''))
}

const token = secretText

const begin = openRoute({
  method: 'POST',
  path: '/enrolments/begin',
  summary: 'what a set-up or invitation link is for',
  recordsOwnRefusals: true,
  body: z.strictObject({ token }),
  answer: z.object({
    kind: z.enum(['setup', 'invitation']),
    name: z.string().optional(),
    secondFactor: z.enum(['required', 'optional']),
  }),
  handle: async ({ rooms, body, address }) => rooms.identity.enrolments.begin({ ...body, address }),
})

const choose = openRoute({
  method: 'POST',
  path: '/enrolments/choose',
  summary: 'choose a name and a password; may be repeated until finished',
  recordsOwnRefusals: true,
  body: z.strictObject({
    token,
    /** An invited person has a name already. */
    name: nameText.optional(),
    displayName: nameText.optional(),
    password: secretText,
  }),
  answer: z.object({
    otpauthUri: z.string(),
    secret: z.string(),
    qrRows: z.array(z.string()),
  }),
  async handle({ rooms, body, address }) {
    const chosen = await rooms.identity.enrolments.choose({ ...body, address })
    return isRefusal(chosen) ? chosen : { ...chosen, qrRows: qrRows(chosen.otpauthUri) }
  },
})

const finish = openRoute({
  method: 'POST',
  path: '/enrolments/finish',
  summary: 'confirm the second factor with one code; makes the person and uses up the link',
  recordsOwnRefusals: true,
  body: z.strictObject({ token, code: secretText.optional() }),
  answer: z.object({
    principalName: z.string(),
    recoveryCodes: z.array(z.string()).readonly(),
    /** Where the person can add a passkey, signed in. */
    passkeyUrl: z.string(),
  }),
  async handle({ rooms, body, address }) {
    const finished = await rooms.identity.enrolments.finish({ ...body, address })
    if (isRefusal(finished)) return finished
    return { ...finished, passkeyUrl: new URL('/account/passkeys/add', rooms.config.gateway.publicUrl).href }
  },
})

export const enrolmentRoutes = [begin, choose, finish]
