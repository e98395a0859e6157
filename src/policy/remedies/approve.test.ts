import { expect, test } from 'vitest'
import { eachDatabase } from '../../../test/world/databases.ts'
import { approval, code, got, justification, openRemedies } from '../../../test/world/step-up/remedies.ts'

eachDatabase('what waits for a word', (open) => {
  test('where two rules ask, one of them written anew voids what waits for both', async () => {
    for (const rule of ['f#a', 'f#j']) {
      const { remedies, prints, call, lea, say } = await openRemedies(open)
      const both = call({ remedies: [approval, justification] })
      const { id } = got(await remedies.ask(both))
      prints.set(rule, 'new')
      expect(code(await remedies.approvals.approve(id, say(lea))), rule).toBe('policy.approval-unknown')
      expect(got(await remedies.ask(both)).id).not.toBe(id)
    }
  })
})
