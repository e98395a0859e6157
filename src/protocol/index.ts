export { asPrivate } from './as-private.ts'
export { splitBatch } from './batch.ts'
export {
  applyEdits,
  elementSpans,
  memberEdit,
  memberSpans,
  spanOf,
  type Edit,
  type MemberSpan,
} from './json/edit-text.ts'
export {
  initializeResponse,
  readDiscovered,
  readIntroduction,
  type Discovered,
  type Introduction,
} from './bridge/initialize.ts'
export {
  addressOf,
  answeredRequest,
  canBeAsked,
  capabilityFor,
  type InputRequest,
  type InputRequired,
  legacyAsk,
  readInputRequired,
} from './bridge/input-requests.ts'
export { legacyDefinitions } from './bridge/legacy-definition.ts'
export { kindOfResult, legacyNotification, legacyResponse } from './bridge/legacy-response.ts'
export { mirroredHeaders, mirrorProblem, mirrorsOf, type Mirror } from './bridge/mirrors.ts'
export { type Envelope, modernRequest, modernRevision } from './bridge/modern-request.ts'
export { withoutMembers, withoutMeta } from './bridge/without-members.ts'
export { legacyRequest } from './bridge/legacy-request.ts'
export {
  addressesIn,
  type AnsweredRequest,
  discoverResponse,
  inputRequiredResponse,
  mayBeAsked,
  modernResponse,
  questionOf,
  withMetaMember,
} from './bridge/modern-response.ts'
export { readJson } from './json/escaped-keys.ts'
export { checkBeforeBody, classifyEra, isWireRefusal, type Classified, type Headers, type WireRefusal } from './era.ts'
export { createEventReader, writeEvent, type EventReader, type Frame } from './event-stream.ts'
export { isFileUri } from './file-uri.ts'
export { decodeHeaderValue, encodeHeaderValue } from './header-value.ts'
export { errorCodes, jsonRpcError, statusOfResponse } from './json-rpc-error.ts'
export { fold, hasLookAlike, knownNames, type KnownNames } from './look-alike.ts'
export {
  isObject,
  isProblem,
  readMessage,
  readUpstreamMessage,
  type Message,
  type MessageProblem,
  withText,
} from './message.ts'
export { legacyRevisions, metaKeys, modernRevisions, namesModernEra, servedRevisions, type Era } from './revisions.ts'
export { asksForRoots, sharesRoots } from './roots.ts'
export { isSafeAddress, sendsAstray } from './safe-address.ts'
export { readStrictObject } from './json/strict-object.ts'
export { subscribedResources } from './subscriptions.ts'
export { withId, withIdText, withParams } from './with-id.ts'
