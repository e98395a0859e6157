/**
 * What is a change of the policy refused with?
 * Stops: a change that is refused without saying what to do instead.
 * Trusts: nothing.
 * Fails: nothing here can.
 */
import { defineRefusals } from '#kernel'

export const changeRefusals = defineRefusals({
  folderInvalid: {
    code: 'policy.folder-invalid',
    says: 'the policy folder cannot be read: {problem}',
    hint: '`castellan policy lint <folder>` shows every problem with its file and line',
    status: 422,
  },
  checkTooLarge: {
    code: 'policy.check-too-large',
    says: 'without roles:write a policy folder of at most {limit} is looked at',
    hint: 'let somebody with roles:write look at it; judging rules takes time from everybody',
    status: 413,
  },
  checkTooOften: {
    code: 'policy.check-too-often',
    says: 'policy folders of those without roles:write are looked at one by one, with a pause',
    hint: 'wait a few seconds, then try again',
    status: 429,
  },
  draftUnknown: {
    code: 'policy.draft-unknown',
    says: 'there is no draft {draft}',
    hint: '`castellan policy draft list` shows the drafts there are',
    status: 404,
  },
  draftEnded: {
    code: 'policy.draft-ended',
    says: 'draft {draft} was published or abandoned',
    hint: 'make another one with `castellan policy publish <folder>`',
    status: 409,
  },
  draftNotProposed: {
    code: 'policy.draft-not-proposed',
    says: 'draft {draft} was not handed to a second person yet',
    hint: 'whoever works on it runs `castellan policy draft propose`; lint and tests are asked then',
    status: 409,
  },
  noteInvalid: {
    code: 'policy.note-invalid',
    says: 'a note is one line of at most {limit} characters',
    hint: 'shorten it, and leave out line breaks and control characters',
    status: 400,
  },
  draftEmpty: {
    code: 'policy.draft-empty',
    says: 'the draft changes nothing',
    hint: 'what it says is in force already; roles that are missing in a folder are removed with `--prune` only',
    status: 409,
  },
  draftChanged: {
    code: 'policy.draft-changed',
    says: 'draft {draft} is not what was looked at any more',
    hint: 'look at it again with `castellan policy draft show` and decide then',
    status: 409,
  },
  draftStale: {
    code: 'policy.draft-stale',
    says: 'snapshot {version} was published meanwhile, and changes what this draft changes: {names}',
    hint: 'bring the folder up to what is in force (`castellan policy diff`), then publish it again: that makes a draft on top of it',
    status: 409,
  },
  lintFailed: {
    code: 'policy.lint-failed',
    says: 'lint found what must not be published: {problem}',
    hint: '`castellan policy lint <folder>` or `castellan policy draft show <id>` shows all findings',
    status: 422,
  },
  warningsUnaccepted: {
    code: 'policy.warnings-unaccepted',
    says: 'lint warns, and nobody accepted it: {problem}',
    hint: 'look at all warnings, then correct them or publish with `--accept-warnings`',
    status: 422,
  },
  testsFailed: {
    code: 'policy.tests-failed',
    says: 'a test of the policy fails: {test}',
    hint: 'correct the change, or the test in the policy folder; `castellan policy test` shows all of them',
    status: 422,
  },
  secondPersonNeeded: {
    code: 'policy.second-person-needed',
    says: 'the policy is changed by two persons here: one makes a draft, another one publishes it',
    hint: 'make a draft with `castellan policy publish <folder>`; another person with roles:write runs `castellan policy draft approve <id>`',
    status: 409,
  },
  ownDraft: {
    code: 'policy.own-draft',
    says: 'nobody publishes a draft that they made or changed',
    hint: 'ask another person with roles:write',
    status: 403,
  },
  authorGone: {
    code: 'policy.author-without-right',
    says: 'whoever made or changed this draft may not change the policy any more',
    hint: 'make the draft again as somebody who may',
    status: 409,
  },
  publisherGone: {
    code: 'policy.publisher-without-right',
    says: 'only an active person with roles:write publishes',
    hint: 'ask another person with roles:write',
    status: 403,
  },
  filesBeyondReach: {
    code: 'policy.files-beyond-own-grants',
    says: 'a rule in a policy file can allow anything, so only who is granted everything changes one',
    hint: 'ask an administrator with * on *',
    status: 403,
  },
  snapshotUnknown: {
    code: 'policy.snapshot-unknown',
    says: 'there is no snapshot {version}',
    hint: '`castellan policy history` shows the snapshots there are',
    status: 404,
  },
  snapshotUndocumented: {
    code: 'policy.snapshot-undocumented',
    says: 'what snapshot {version} was made from is not on record, so it cannot be returned to',
    hint: 'return to a later one, or publish a folder',
    status: 409,
  },
  rolledBackAlready: {
    code: 'policy.rolled-back-already',
    says: 'the snapshot in force is itself one that was returned to at once',
    hint: 'leave out `--now`: the way forward again goes by way of a draft',
    status: 409,
  },
  notPreceding: {
    code: 'policy.not-preceding',
    says: 'in an emergency the policy goes back one step alone, to snapshot {version}',
    hint: 'leave out `--now` to return to an older one, by way of a draft',
    status: 409,
  },
})
