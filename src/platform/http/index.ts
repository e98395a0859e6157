export { type Ceilings, createListener, type Listener, type ListenerOptions } from './listener.ts'
export { readBody } from './read-body.ts'
