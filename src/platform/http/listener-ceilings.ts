/** What one client may cost before anybody knows who it is. */
export interface Ceilings {
  /** From the first byte, or from the connection, until the headers are complete; also for the handshake of TLS. */
  readonly headersTimeoutMs: number
  /** Until headers and body are complete. */
  readonly requestTimeoutMs: number
  /** Between two requests on one connection. */
  readonly keepAliveTimeoutMs: number
  /** How long a client may take nothing of an answer that is ready for it; what waits gets its time on top. */
  readonly stallTimeoutMs: number
  /** The rate at which a client must take what waits for it. */
  readonly minBytesPerSecond: number
  /** Request line and headers together; more is answered 431. */
  readonly maxHeaderBytes: number
  /** Header lines of one request; more is answered 431. */
  readonly maxHeaders: number
  /** More is answered 414. */
  readonly maxTargetChars: number
  /** On all addresses together; one more takes the place of one that is idle, or is closed at once. */
  readonly maxConnections: number
  /** From one address, of IPv6 from one /64, of loopback from all of it; more are closed at once. */
  readonly maxConnectionsPerAddress: number
  /** Requests of one connection that wait for their answers; one more is answered 503 and ends the connection. */
  readonly maxPipelined: number
  /** The last one's answer ends the connection. */
  readonly maxRequestsPerConnection: number
}

export const defaultCeilings: Ceilings = {
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  keepAliveTimeoutMs: 65_000,
  stallTimeoutMs: 30_000,
  minBytesPerSecond: 131_072,
  maxHeaderBytes: 16_384,
  maxHeaders: 100,
  maxTargetChars: 8_192,
  maxConnections: 4_096,
  maxConnectionsPerAddress: 256,
  maxPipelined: 16,
  maxRequestsPerConnection: 10_000,
}

/** The keys of the configuration's `limits` that bound a listener. */
export interface ListenerLimits {
  readonly headerBytes: number
  readonly headersSeconds: number
  readonly requestSeconds: number
  readonly keepAliveSeconds: number
  readonly connections: number
  readonly connectionsPerAddress: number
}

/** The ceilings that the configuration asks for. */
export function ceilingsOf(limits: ListenerLimits): Partial<Ceilings> {
  return {
    headersTimeoutMs: limits.headersSeconds * 1_000,
    requestTimeoutMs: limits.requestSeconds * 1_000,
    stallTimeoutMs: limits.requestSeconds * 1_000,
    keepAliveTimeoutMs: limits.keepAliveSeconds * 1_000,
    maxHeaderBytes: limits.headerBytes,
    maxConnections: limits.connections,
    maxConnectionsPerAddress: limits.connectionsPerAddress,
  }
}
