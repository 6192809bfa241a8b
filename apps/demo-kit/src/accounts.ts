import { type Plan, PLANS } from './policies.ts'

/** Who asks, as an authentication would find out. */
export interface User {
  readonly id: string
  readonly plan: Plan
  /** Whose month the requests count in; undefined: in nobody's. */
  readonly company: string | undefined
}

/** The users: stands for a database. A change of plan holds from the next request on. */
export class Accounts {
  readonly #plans = new Map<string, Plan>()

  /** The user of a name like `ann@acme`, of the company `acme`; undefined without a name. */
  find(name: string | null | undefined): User | undefined {
    if (!name) return undefined
    const at = name.indexOf('@')
    return {
      id: name,
      plan: this.#plans.get(name) ?? 'free',
      company: at < 0 ? undefined : name.slice(at + 1),
    }
  }

  /** Changes a user's plan; false where there is no such user, or no such plan. */
  move(user: User | undefined, plan: unknown): plan is Plan {
    if (user === undefined || typeof plan !== 'string' || !Object.hasOwn(PLANS, plan)) return false
    this.#plans.set(user.id, plan as Plan)
    return true
  }
}
