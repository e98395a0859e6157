export { asPrivate } from './as-private.ts'
export { applyEdits, elementSpans, memberEdit, spanOf, type Edit } from './edit-text.ts'
export { checkBeforeBody, classifyEra, isWireRefusal, type Classified, type Headers, type WireRefusal } from './era.ts'
export { createEventReader, writeEvent, type EventReader, type Frame } from './event-stream.ts'
export { isFileUri } from './file-uri.ts'
export { decodeHeaderValue, encodeHeaderValue } from './header-value.ts'
export { errorCodes, jsonRpcError, statusOfResponse } from './json-rpc-error.ts'
export { hasLookAlike, knownNames, type KnownNames } from './look-alike.ts'
export {
  isObject,
  isProblem,
  readMessage,
  readUpstreamMessage,
  type Message,
  type MessageProblem,
  withText,
} from './message.ts'
export { legacyRevisions, metaKeys, modernRevisions, servedRevisions, type Era } from './revisions.ts'
export { asksForRoots, sharesRoots } from './roots.ts'
export { subscribedResources } from './subscriptions.ts'
export { withId, withIdText, withParams } from './with-id.ts'
