import { z } from 'zod'
import { count } from './fields.ts'

const mebibyte = 1024 * 1024
const many = 1_000_000

const limit = (preset: number, [smallest, largest]: readonly [number, number], description: string) =>
  count(smallest, largest).default(preset).meta({ description })

/** What one client, one call and one process may cost. */
export const limitsSection = z
  .strictObject({
    bodyBytes: limit(4 * mebibyte, [1_024, 64 * mebibyte], 'The largest body of a request, in bytes.'),
    headerBytes: limit(16_384, [4_096, 262_144], 'The largest request line and headers together, in bytes.'),
    headersSeconds: limit(10, [1, 300], 'Time until the headers of a request are complete, in seconds.'),
    requestSeconds: limit(
      30,
      [1, 3_600],
      'Time until a request with its body is complete, and that a client may take nothing of its answer, in seconds.',
    ),
    keepAliveSeconds: limit(65, [1, 3_600], 'Time between two requests on one connection, in seconds.'),
    connections: limit(4_096, [1, many], 'Open connections of one listener; more are closed at once.'),
    connectionsPerAddress: limit(256, [1, many], 'Open connections of one client address to one listener.'),
    openStreams: limit(
      1_024,
      [1, many],
      'Event streams that wait for news (GET, subscriptions) and are open at once in one process.',
    ),
    openStreamsPerPrincipal: limit(
      32,
      [1, many],
      'Event streams that wait for news and that one principal may have open at once, with all tokens together. Each ' +
        'process counts for itself.',
    ),
    requestsPerMinutePerAddress: limit(
      100,
      [1, 100 * many],
      'Requests a minute from one client address; of IPv6, from one /64 network. Each process counts for itself; ' +
        'the admin listener allows ten times as many.',
    ),
    requestsPerMinutePerPrincipal: limit(
      600,
      [1, 100 * many],
      'Requests a minute of one principal, with all tokens together. Each process counts for itself.',
    ),
    answerBytes: limit(
      64 * mebibyte,
      [1_024, 1_024 * mebibyte],
      'The largest answer of an upstream in all, JSON or stream, in bytes; one message of it is at most 10 MiB.',
    ),
    upstreamSilenceSeconds: limit(
      300,
      [1, 3_600],
      'Time an upstream may take to begin its answer, and between two messages of it, in seconds.',
    ),
    streamSeconds: limit(3_600, [1, 86_400], 'Time that one call may take in all, in seconds.'),
    openStreamSeconds: limit(
      28_800,
      [1, 604_800],
      'Time that one event stream that waits for news may stay open, in seconds; its client then opens it again.',
    ),
    openStreamIdleSeconds: limit(
      3_600,
      [1, 604_800],
      'Time that an event stream that waits for news may stay open while nothing comes over it and its credential asks ' +
        'for nothing, in seconds; its client then opens it again.',
    ),
    drainSeconds: limit(20, [0, 600], 'Time that open calls are given to finish at a stop, in seconds.'),
  })
  .prefault({})

/** What is wrong between the limits. */
export function limitProblems(limits: z.output<typeof limitsSection>): { path: [string, string]; message: string }[] {
  if (limits.headersSeconds <= limits.requestSeconds) return []
  return [{ path: ['limits', 'headersSeconds'], message: 'expected at most `limits.requestSeconds`' }]
}
