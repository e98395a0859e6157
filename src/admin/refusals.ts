import { defineRefusals } from '#kernel'

export const refusals = defineRefusals({
  foreignAddress: {
    code: 'admin.foreign-address',
    says: 'this network may not use the admin API',
    hint: 'call it from a network in `admin.allowedNetworks`; unless that is set, only from this machine',
    status: 403,
  },
  rateExceeded: {
    code: 'admin.rate-exceeded',
    says: 'too many requests in this minute',
    hint: 'wait for the seconds in `retry-after`, then go on more slowly',
    status: 429,
  },
  foreignHost: {
    code: 'admin.foreign-host',
    says: 'this address does not belong to the admin API',
    hint: 'open it as http://localhost with the admin port, or under the configured `admin.publicUrl`',
    status: 403,
  },
  foreignOrigin: {
    code: 'admin.foreign-origin',
    says: 'requests from other web pages are not accepted',
    hint: 'open the page of this server itself, or use `castellan` on the command line',
    status: 403,
  },
  notSignedIn: {
    code: 'admin.not-signed-in',
    says: 'this needs a session',
    hint: 'sign in with `castellan login` and send the session as a bearer token',
    status: 401,
  },
  held: {
    code: 'admin.held',
    says: 'your account is on hold',
    hint: 'ask an admin to lift the hold',
    status: 403,
  },
  notPermitted: {
    code: 'admin.not-permitted',
    says: 'this needs the permission {permission}, which none of your roles grants',
    hint: 'ask an admin for a role with {permission}; `castellan role list` shows which have it',
    status: 403,
  },
  peopleOnly: {
    code: 'admin.people-only',
    says: 'a service account changes nothing here, and has nothing of its own to look at',
    hint: 'do this as a person; a service account reads what its roles grant, if it was made with `--admin-read`',
    status: 403,
  },
  ownAccount: {
    code: 'admin.own-account',
    says: 'you cannot lock out yourself',
    hint: 'ask another admin to do it',
    status: 409,
  },
  unknownRoute: {
    code: 'admin.unknown-route',
    says: 'there is nothing at this path',
    hint: 'see /openapi.json for what there is',
    status: 404,
  },
  methodNotAllowed: {
    code: 'admin.method-not-allowed',
    says: 'this path does not take that method',
    hint: 'the `allow` header names the methods it takes',
    status: 405,
  },
  notFound: {
    code: 'admin.not-found',
    says: 'there is no such {noun}, or it is not yours',
    hint: 'list what there is and use an id or name from there',
    status: 404,
  },
  notJson: {
    code: 'admin.not-json',
    says: 'the body is not JSON text',
    hint: 'send one JSON object, encoded as UTF-8',
    status: 400,
  },
  wrongContentType: {
    code: 'admin.wrong-content-type',
    says: 'the body must be sent as application/json, uncompressed',
    hint: 'set the header `content-type: application/json`',
    status: 415,
  },
  bodyTooLarge: {
    code: 'admin.body-too-large',
    says: 'the body is larger than 65536 bytes',
    hint: 'send less in one request',
    status: 413,
  },
  invalidRequest: {
    code: 'admin.invalid-request',
    says: 'the request has fields that are missing, unknown or of the wrong form',
    hint: '`errors` names each of them',
    status: 400,
  },
  ledgerUnavailable: {
    code: 'admin.ledger-unavailable',
    says: 'the ledger cannot be written, so nothing is done that would have to be recorded',
    hint: 'free disk space or repair the data folder; `castellan doctor` shows what is wrong',
    status: 503,
  },
  databaseUnavailable: {
    code: 'admin.database-unavailable',
    says: 'the database cannot be used at this moment, so nothing was done',
    hint: 'try again in a few seconds; `castellan doctor` shows what is wrong',
    status: 503,
  },
  fault: {
    code: 'admin.fault',
    says: 'something broke on our side',
    hint: 'try again; if it stays, look for the request id in `castellan audit tail`',
    status: 500,
  },
})
