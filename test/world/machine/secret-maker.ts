import { randomBytes } from 'node:crypto'
import { openDataFolder } from '#platform/files'

/**
 * A process of its own that works on a data folder. Arguments: folder, then `create` (make the secret `key`
 * once and say it), `rewrite` (replace it again and again with bytes that are all equal) or `hold` (take the
 * lock `up` and keep it).
 */
const [path = '', task = ''] = process.argv.slice(2)
const folder = openDataFolder(path)
if (task === 'create') {
  process.stdout.write(`${folder.secretOrCreate('key', () => randomBytes(32)).toString('hex')}\n`)
}
if (task === 'rewrite') {
  process.stdout.write('begun\n')
  for (let round = 1; ; round++) folder.writeSecret('key', Buffer.alloc(100_000, round % 256))
}
if (task === 'hold') {
  folder.lock('up')
  process.stdout.write('held\n')
  setInterval(() => undefined, 1_000)
}
