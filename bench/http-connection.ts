/** A raw connection of the load generator: one buffer for all of them, no streams, no promises, one message at a time. */
import { connect } from 'node:net'
import { createHttpReader, type HttpMessage } from './http-reader.ts'

export interface Connection {
  send(request: string): void
  end(): void
}

export interface ConnectionEvents {
  onMessage(message: HttpMessage): void
  /** The connection broke, or was closed from the other side. Called once, and never after `end`. */
  onBroken(error: Error): void
}

const received = Buffer.allocUnsafe(256 * 1024)

export function openConnection(port: number, { onMessage, onBroken }: ConnectionEvents): Connection {
  let isOver = false
  const read = createHttpReader(onMessage)
  const onread = {
    buffer: received,
    callback(bytes: number): boolean {
      read(received.toString('latin1', 0, bytes))
      return true
    },
  }
  const socket = connect({ port, host: '127.0.0.1', noDelay: true, onread })
  const over = (error: Error): void => {
    if (!isOver) onBroken(error)
    isOver = true
  }
  socket.on('error', over)
  socket.on('close', () => over(new Error('the connection was closed')))
  return {
    send: (request) => void socket.write(request, 'latin1'),
    end() {
      isOver = true
      socket.destroy()
    },
  }
}
