const DAY = 86_400e6

/** The quotas of the histories of budgets, by name. */
export const LIMITS = { user_day: 500, team_month: 2500 } as const
export type Budget = keyof typeof LIMITS

/** A quota of one client: `user_day ann`. */
export type Account = `${Budget} ${string}`

/** The units of one quota that one call has reserved, paid and used. */
export interface Entry {
  readonly account: Account
  readonly estimate: number
  /** The period in which units were held; undefined if they were charged. */
  readonly heldIn: string | undefined
  /** Units that the call holds still, if their time is not over. */
  held: number
  used: number
  paid: number
  /** The period, as it was since its last reset, to which units were charged last, and how many. */
  part: string
  inPart: number
}

/** A book of what calls have used of quotas, in plain numbers. It shares no code with Halt. */
export class BudgetBook {
  readonly #now: () => number
  readonly #used = new Map<string, number>()
  readonly #granted = new Map<string, number>()
  readonly #resets = new Map<string, number>()
  /** Accounts that were charged more in a period than they had, because a call used more than it held. */
  readonly overdrawn = new Set<string>()

  /** @param now the clock, in microseconds */
  constructor(now: () => number) {
    this.#now = now
  }

  /** The present period of a quota: a day, or a month of the calendar. */
  period(account: Account): string {
    const date = new Date(this.#now() / 1000)
    const name = account.startsWith('user_day')
      ? Math.floor(this.#now() / DAY)
      : `${date.getUTCFullYear()}-${date.getUTCMonth()}`
    return `${account} ${name}`
  }

  /** The present period, as it was since its last reset. */
  part(account: Account): string {
    const period = this.period(account)
    return `${period} ${this.#resets.get(period) ?? 0}`
  }

  used(account: Account): number {
    return this.#used.get(this.part(account)) ?? 0
  }

  limit(account: Account): number {
    const [budget] = account.split(' ') as [Budget]
    return LIMITS[budget] + (this.#granted.get(this.period(account)) ?? 0)
  }

  add(account: Account, units: number, part = this.part(account)): void {
    this.#used.set(part, Math.max(0, (this.#used.get(part) ?? 0) + units))
  }

  grant(account: Account, units: number): void {
    const period = this.period(account)
    this.#granted.set(period, (this.#granted.get(period) ?? 0) + units)
  }

  reset(account: Account): void {
    const period = this.period(account)
    this.#resets.set(period, (this.#resets.get(period) ?? 0) + 1)
  }

  reserve(account: Account, estimate: number, isHeld: boolean): Entry {
    const heldIn = isHeld ? this.period(account) : undefined
    const held = isHeld ? estimate : 0
    const entry = { account, estimate, heldIn, held, used: 0, paid: 0, part: '', inPart: 0 }
    if (!isHeld) this.#pay(entry, estimate)
    return entry
  }

  charge(entry: Entry, more: number): void {
    entry.used += more
    const due = entry.used - entry.paid
    if (due <= 0) return
    entry.held = Math.max(0, entry.held - due)
    this.#pay(entry, due)
  }

  settle(entry: Entry, actual: number): void {
    const more = Math.max(actual - entry.paid, -entry.inPart)
    this.add(entry.account, more, more > 0 ? undefined : entry.part)
    if (this.used(entry.account) > this.limit(entry.account)) this.overdrawn.add(this.period(entry.account))
    entry.held = 0
  }

  #pay(entry: Entry, units: number): void {
    const part = this.part(entry.account)
    entry.inPart = entry.part === part ? entry.inPart + units : units
    entry.part = part
    entry.paid += units
    this.add(entry.account, units)
  }
}
