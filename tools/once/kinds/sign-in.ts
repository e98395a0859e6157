/** Codes that sign somebody in: of the authenticator, and for the day it is lost. */
import type { Person } from '../../../test/world/people.ts'
import type { Answered } from '../nodes.ts'
import type { Kind } from '../race.ts'
import type { Stage } from '../stage.ts'

const isSignedIn = ({ status, body }: Answered): boolean => status === 200 && typeof body['token'] === 'string'

function signIn({ nodes }: Stage, { name, password }: Person, code: string) {
  return {
    send: (node: number) => nodes.post(node, { to: 'admin', path: '/api/v1/sign-in', json: { name, password, code } }),
  }
}

function totp(stage: Stage, person: Person): Kind {
  return {
    name: 'one-time code',
    weight: 3,
    isWon: isSignedIn,
    clear: stage.clearThrottle,
    async prepare() {
      await stage.clearThrottle()
      return signIn(stage, person, await stage.freshCode(person))
    },
  }
}

function recoveryCode(stage: Stage, person: Person): Kind {
  let used = 0
  return {
    name: 'recovery code',
    weight: 1.5,
    isWon: isSignedIn,
    clear: stage.clearThrottle,
    async prepare() {
      await stage.clearThrottle()
      const at = used++ % person.recoveryCodes.length
      if (at === 0) await stage.renewRecoveryCodes(person)
      return signIn(stage, person, person.recoveryCodes[at] ?? '')
    },
  }
}

export async function signInKinds(stage: Stage): Promise<readonly Kind[]> {
  return [totp(stage, await stage.join('tom')), recoveryCode(stage, await stage.join('rea'))]
}
