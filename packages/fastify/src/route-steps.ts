import type { Step } from './request-guard.ts'
import type { HaltHookName } from './options.ts'

/** What is done for a route: in the hook of the registration, and in one of the route's own. */
export interface RouteSteps {
  readonly global: Step | undefined
  readonly own: Step | undefined
  /** Where `own` stands. */
  readonly hook: HaltHookName
}

/** The plan of a route that is not counted. */
export const NO_STEPS: RouteSteps = Object.freeze({ global: undefined, own: undefined, hook: 'onRequest' })
