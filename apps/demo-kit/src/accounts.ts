import { type Plan, PLANS } from './policies.ts'

/** The user of a request, as an authentication would find it. */
export interface User {
  readonly id: string
  readonly plan: Plan
  /** The company whose monthly quota the requests use; undefined for none. */
  readonly company: string | undefined
}

/** The users; stands for a database. A change of plan applies from the next request on. */
export class Accounts {
  readonly #plans = new Map<string, Plan>()

  /** The user with a name like `ann@acme`, of the company `acme`; undefined without a name. */
  find(name: string | null | undefined): User | undefined {
    if (!name) return undefined
    const at = name.indexOf('@')
    return {
      id: name,
      plan: this.#plans.get(name) ?? 'free',
      company: at < 0 ? undefined : name.slice(at + 1),
    }
  }

  /** Changes a user's plan. Returns false if there is no such user or plan. */
  move(user: User | undefined, plan: unknown): plan is Plan {
    if (user === undefined || typeof plan !== 'string' || !Object.hasOwn(PLANS, plan)) return false
    this.#plans.set(user.id, plan as Plan)
    return true
  }
}
