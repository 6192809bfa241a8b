import type { Step } from './request-guard.ts'
import type { HaltHookName } from './options.ts'

/** The steps of a route: one in the hook of the registration, and one in a hook of the route. */
export interface RouteSteps {
  readonly global: Step | undefined
  readonly own: Step | undefined
  /** The hook that runs `own`. */
  readonly hook: HaltHookName
}

/** The steps of a route that is not counted. */
export const NO_STEPS: RouteSteps = Object.freeze({ global: undefined, own: undefined, hook: 'onRequest' })
