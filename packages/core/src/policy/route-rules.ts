import { BoundedMap } from '../base/bounded-map.ts'
import type { Rule } from '../algorithms/index.ts'

/** The rules of a policy, one per route. */
export interface RouteRules {
  (route: string): Rule
  /** The names of the counters of the routes seen so far. */
  counters(): string[]
  /** Whether a route other than these was seen. */
  hasMetOtherThan(...routes: readonly string[]): boolean
}

// A service has only the routes that its authors wrote. A view with invented routes must not fill the memory.
const MAX_ROUTES = 10_000

/** Keeps the rules that `make` makes, so that each is made once. */
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
