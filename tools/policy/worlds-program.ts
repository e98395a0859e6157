/** One process of the proof `policy`: judges the ranges of seeds that it is sent, one at a time. */
import { judgeWorlds, type WorldRange } from './judge-worlds.ts'

process.on('message', (range: WorldRange) => process.send?.(judgeWorlds(range)))
