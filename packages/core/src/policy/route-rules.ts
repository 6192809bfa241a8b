import { BoundedMap } from '../base/bounded-map.ts'
import type { Rule } from '../algorithms/index.ts'

/** The rules of a policy, one for each route. */
export interface RouteRules {
  (route: string): Rule
  /** The counters of the routes met so far, by cell. */
  counters(): string[]
  /** Whether a route was met that is none of these. */
  hasMetOtherThan(...routes: readonly string[]): boolean
}

// A service has as many routes as its authors wrote. A view that names others must not fill the memory.
const MAX_ROUTES = 10_000

/** Makes each route's rule once. */
export function rulesByRoute(make: (route: string) => Rule): RouteRules {
  const rules = new BoundedMap<Rule>(MAX_ROUTES)
  const find = (route: string): Rule => {
    let rule = rules.get(route)
    if (rule === undefined) {
      rules.set(route, (rule = make(route)))
    }
    return rule
  }
  return Object.assign(find, {
    counters: () => [...rules].map(([, { counter }]) => counter),
    hasMetOtherThan: (...routes: readonly string[]) => [...rules].some(([route]) => !routes.includes(route)),
  })
}
