import type { Route } from '../route.ts'
import { approvalRoutes } from './approvals.ts'
import { budgetRoutes } from './budgets.ts'
import { policyHistoryRoutes } from './changes-history.ts'
import { policyChangeRoutes } from './changes.ts'
import { flowRoutes } from './flow.ts'
import { policyQuestionRoutes } from './questions.ts'
import { policyReplayRoutes } from './replay.ts'
import { reviewCampaignRoutes } from './reviews-campaigns.ts'
import { reviewRoutes } from './reviews.ts'

/** Routes about the life of the policy; each file of this folder adds its own. */
export const policyLifeRoutes: readonly Route[] = [
  ...policyQuestionRoutes,
  ...policyReplayRoutes,
  ...policyChangeRoutes,
  ...policyHistoryRoutes,
  ...approvalRoutes,
  ...budgetRoutes,
  ...flowRoutes,
  ...reviewRoutes,
  ...reviewCampaignRoutes,
]
