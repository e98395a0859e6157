import type { Exit, Sending } from '../../src/gateway/respond.ts'
import type { SafeResult } from '../../src/gateway/safe-result.ts'
import type { UpstreamAnswer } from '../../src/upstream/index.ts'

declare const exit: Exit
declare const rest: Omit<Sending, 'safeResult'>
declare const inspected: SafeResult
declare const uninspected: UpstreamAnswer
void exit.answer({ ...rest, safeResult: inspected })
void exit.answer({ ...rest, safeResult: uninspected })
