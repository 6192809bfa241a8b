import { BoundedMap } from '../base/bounded-memory.ts'
import type { Rule } from '../algorithms/index.ts'

/** The routes that a policy has met in this process. All variants of the policy share them, because they share the counters. */
export type MetRoutes = BoundedMap<true>

/** The rules of a policy, one per route. */
export interface RouteRules {
  (route: string): Rule
  /** The rules of the routes seen so far. */
  all(): Rule[]
  /** Whether a route other than these was seen. */
  hasMetOtherThan(...routes: readonly string[]): boolean
}

// A service has only the routes that its authors wrote. A view with invented routes must not fill the memory.
const MAX_ROUTES = 10_000

/** Makes the memory of the routes that a policy meets. */
export function metRoutes(): MetRoutes {
  return new BoundedMap(MAX_ROUTES)
}

/** Keeps the rules that `make` makes, so that each is made once. */
export function rulesByRoute(make: (route: string) => Rule, met: MetRoutes): RouteRules {
  const rules = new BoundedMap<Rule>(MAX_ROUTES)
  const find = (route: string): Rule => {
    let rule = rules.get(route)
    if (rule === undefined) {
      rules.set(route, (rule = make(route)))
      met.set(route, true)
    }
    return rule
  }
  return Object.assign(find, {
    // A variant may have met a route that has no rule here yet.
    all: () => [...met].map(([route]) => find(route)),
    hasMetOtherThan: (...routes: readonly string[]) => [...met].some(([route]) => !routes.includes(route)),
  })
}
