// Preloaded into peers that listen on every interface: they listen on 127.0.0.1 alone.
import { Server } from 'node:net'

const listen = Server.prototype.listen

Server.prototype.listen = function (...parameters) {
  const [first, ...rest] = parameters
  if (typeof first === 'number' || (typeof first === 'string' && /^\d+$/.test(first))) {
    const others = typeof rest[0] === 'string' ? rest.slice(1) : rest
    return listen.call(this, Number(first), '127.0.0.1', ...others)
  }
  if (typeof first === 'object' && first !== null && 'port' in first) {
    return listen.call(this, { ...first, host: '127.0.0.1' }, ...rest)
  }
  return listen.apply(this, parameters)
}
