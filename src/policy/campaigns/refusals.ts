/**
 * What is a step of a review refused with?
 * Stops: a review that is refused without saying what to do instead.
 * Trusts: nothing.
 * Fails: nothing here can.
 */
import { defineRefusals } from '#kernel'

export const reviewRefusals = defineRefusals({
  campaignUnknown: {
    code: 'review.campaign-unknown',
    says: 'there is no campaign {campaign}',
    hint: '`castellan review campaign list` shows the campaigns there are',
    status: 404,
  },
  itemUnknown: {
    code: 'review.item-unknown',
    says: 'the campaign has no item {item}',
    hint: '`castellan review campaign show <campaign>` shows its items',
    status: 404,
  },
  campaignInvalid: {
    code: 'review.campaign-invalid',
    says: 'a campaign cannot be begun like this: {problem}',
    hint: 'see docs/reviews.md for what a campaign needs',
    status: 400,
  },
  scopeUnknown: {
    code: 'review.scope-unknown',
    says: 'there is no {kind} called {name}',
    hint: 'look for typing errors; a campaign about nothing would say that all is well',
    status: 404,
  },
  nothingInScope: {
    code: 'review.nothing-in-scope',
    says: 'nobody has anything that this campaign would be about',
    hint: 'widen its scope; `castellan review access` shows who has what',
    status: 422,
  },
  tooLarge: {
    code: 'review.campaign-too-large',
    says: 'the campaign would have more than {limit} items',
    hint: 'make several, each for some of the roles or servers',
    status: 422,
  },
  campaignClosed: {
    code: 'review.campaign-closed',
    says: 'campaign {campaign} is closed, and nothing of it changes any more',
    hint: 'begin another one; what was kept can be taken with `castellan role revoke`',
    status: 409,
  },
  campaignOpen: {
    code: 'review.campaign-open',
    says: 'campaign {campaign} is not closed yet',
    hint: 'close it first: what is exported does not change any more',
    status: 409,
  },
  itemsOpen: {
    code: 'review.items-open',
    says: '{count} items of the campaign are not decided',
    hint: 'let their reviewers decide, or close it with `--leave-open`: they are recorded as unanswered, and what they are about stays',
    status: 409,
  },
  itemDecided: {
    code: 'review.item-decided',
    says: 'item {item} is decided already',
    hint: 'a decision is final; what was taken in error can be given again, and what was kept can be taken',
    status: 409,
  },
  itemChanged: {
    code: 'review.item-changed',
    says: 'item {item} is not as it was when you looked at it',
    hint: 'look at it again and decide then',
    status: 409,
  },
  itemStale: {
    code: 'review.item-stale',
    says: 'what item {item} is about changed since the campaign began',
    hint: 'it is left to the next campaign: a word about what was is none about what is',
    status: 409,
  },
  ownAccess: {
    code: 'review.own-access',
    says: 'nobody reviews their own access',
    hint: 'let another reviewer decide',
    status: 403,
  },
  notReviewer: {
    code: 'review.not-reviewer',
    says: 'item {item} is for others to review',
    hint: 'ask one of its reviewers to decide, or to hand it to you',
    status: 403,
  },
  reviewerGone: {
    code: 'review.reviewer-without-right',
    says: 'only an active person with reviews:write decides',
    hint: 'ask another reviewer, or an administrator',
    status: 403,
  },
  delegateInvalid: {
    code: 'review.delegate-invalid',
    says: '{person} cannot review this',
    hint: 'name an active person with reviews:write whose own access it is not',
    status: 422,
  },
  beyondReach: {
    code: 'review.beyond-own-grants',
    says: 'neither you nor who began the campaign has all that the role {role} grants, so it is not yours to take',
    hint: 'ask an administrator to take it, or to begin the campaign',
    status: 403,
  },
  reasonInvalid: {
    code: 'review.reason-invalid',
    says: 'a reason is one line of at most {limit} characters',
    hint: 'shorten it, and leave out line breaks and control characters',
    status: 400,
  },
})
