import { spawnSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { createLedger, defineEvent } from '#audit'
import { systemClock } from '#kernel'
import { openDataFolder } from '#platform/files'

/**
 * Appends to the ledger of a folder until it is killed and says each end: `kept <seq> <id>` or `refused`.
 * A second argument is the size in kilobytes that no file may outgrow: a disk that becomes full.
 */
const [folder = '', fullAtKilobytes] = process.argv.slice(2)
const event = defineEvent({ name: 'test.noted', says: 'A test noted something.' })
const ledger = await createLedger({ dataFolder: openDataFolder(folder), origin: 'castellan', clock: systemClock })
if (fullAtKilobytes !== undefined)
  spawnSync('prlimit', ['--pid', String(process.pid), `--fsize=${Number(fullAtKilobytes) * 1024}:`])
process.stdout.write('ready\n')

async function write(): Promise<void> {
  for (;;) {
    try {
      const { seq, id } = await ledger.append(event, { outcome: 'succeeded', details: { text: 'x'.repeat(400) } })
      process.stdout.write(`kept ${seq} ${id}\n`)
    } catch {
      process.stdout.write('refused\n')
      await sleep(50)
    }
  }
}

await Promise.all(Array.from({ length: 16 }, write))
