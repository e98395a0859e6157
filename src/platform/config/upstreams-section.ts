import { z } from 'zod'
import { count, text } from './fields.ts'

const key = (preset: number, [smallest, largest]: readonly [number, number], description: string) =>
  count(smallest, largest).default(preset).meta({ description })

/** How endpoints of upstreams are chosen, watched and left alone. Each process judges for itself. */
export const upstreamsSection = z
  .strictObject({
    region: text
      .regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'expected up to 32 lower-case letters, digits and hyphens')
      .optional()
      .meta({ description: 'Where this gateway is; endpoints of this region, or of none, are preferred.' }),
    healthSeconds: key(30, [1, 3_600], 'Time between two health checks of one endpoint, in seconds.'),
    breakerFailures: key(
      5,
      [1, 1_000_000],
      'Failures in a row (no connection, no answer in time, status 5xx, no valid answer) after which an endpoint is not ' +
        'asked for a while; a stdio server that crashes waits by itself.',
    ),
    breakerOpenSeconds: key(
      60,
      [1, 3_600],
      'Time an endpoint is not asked after that, in seconds; then one call tries it.',
    ),
    connections: key(
      128,
      [1, 10_000],
      'Connections for calls to one endpoint; streams that wait for news have others.',
    ),
    waitingCalls: key(
      256,
      [0, 100_000],
      'Calls to one endpoint that may wait for a connection; more are refused at once.',
    ),
    idleSeconds: key(
      600,
      [1, 86_400],
      'Time after which a session or process at an upstream that nobody uses is ended, in seconds; six times as long where only the gateway knows of it.',
    ),
    eventsPerSecond: key(
      1_000,
      [1, 1_000_000],
      'Events a second that are taken of one answer or stream, and 8 KiB for each of all streams of one endpoint. Two seconds of it may come at once; an upstream that goes ' +
        'on faster is held back first, and then cut.',
    ),
  })
  .prefault({})
