import { respond, type Sending } from '../../src/gateway/respond.ts'
import type { SafeResult } from '../../src/gateway/safe-result.ts'
import type { UpstreamAnswer } from '../../src/upstream/index.ts'

declare const rest: Omit<Sending, 'safeResult'>
declare const inspected: SafeResult
declare const uninspected: UpstreamAnswer

void respond({ ...rest, safeResult: inspected })
void respond({ ...rest, safeResult: uninspected })
