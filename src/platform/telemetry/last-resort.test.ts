import { expect, test } from 'vitest'
import { startProcess } from '../../../test/world/machine/start-process.ts'

test.each(['exception', 'rejection', 'unrecordable'])(
  'what nobody caught is logged, recorded and ends: %s',
  async (kind) => {
    const { ended, lines } = startProcess('breaking-process', [kind])
    expect(await ended).toEqual({ code: 70, complaints: '' })
    const said = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
    const broken = said.find((line) => line['event.name'] === 'castellan.broken')
    expect(broken).toMatchObject({ level: 'error', error: { message: 'out of order' } })
    expect(broken?.['request_id']).toMatch(/^[0-9a-f-]{36}$/)
    const recorded = said.filter((line) => line['recorded'] === broken?.['request_id'])
    expect(recorded).toHaveLength(kind === 'unrecordable' ? 0 : 1)
  },
)
