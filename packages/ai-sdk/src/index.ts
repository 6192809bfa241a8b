export { budget } from './budget.ts'
export type { BudgetOptions, ModelCall } from './options.ts'
export type { ModelUsage } from './usage.ts'
