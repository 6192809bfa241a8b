import type { CounterReading } from './counter-reading.ts'

/** A plan, and what `inspect` reads of a client under its policies. */
export interface PlanReading {
  readonly name: string
  readonly counters: readonly CounterReading[]
}

/** What the counters of a plan tell of its last charge. Instants are Unix microseconds. */
interface Evidence {
  /** Whether a counter holds a charge of this plan, and of no other one. */
  readonly isCharged: boolean
  /** Its last charge was at this instant or later. */
  readonly from: number
  /** Its last charge was at this instant or earlier. */
  readonly to: number
  /** Whether the charge at `to` was another plan's. */
  readonly isOther: boolean
}

/**
 * The plan under which a client was charged last, as its counters tell. Undefined if they do not tell, because they are empty, or
 * because several plans may have made the last charge.
 *
 * A bucket keeps by which numbers and when it was charged. A window or a quota tells only if no other plan uses the counter.
 */
export function lastChargedPlan(plans: readonly PlanReading[]): string | undefined {
  const uses = usesOf(plans)
  const all = plans.map(({ name, counters }) => ({ name, ...evidenceOf(counters, uses) }))
  return all.find(plan => plan.isCharged && all.every(other => other === plan || isBefore(other, plan.from)))
    ?.name
}

function isBefore({ to, isOther }: Evidence, instant: number): boolean {
  return to < instant || (isOther && to === instant)
}

/** How many plans use a counter, and by the numbers of how many it was charged last. */
interface Use {
  plans: number
  owners: number
}

function usesOf(plans: readonly PlanReading[]): ReadonlyMap<string, Use> {
  const uses = new Map<string, Use>()
  for (const { counters } of plans) {
    const own = new Map(counters.map(counter => [idOf(counter), counter.lastCharge.isOwn === true]))
    for (const [id, isOwn] of own) {
      const use = uses.get(id) ?? { plans: 0, owners: 0 }
      uses.set(id, { plans: use.plans + 1, owners: use.owners + (isOwn ? 1 : 0) })
    }
  }
  return uses
}

function evidenceOf(counters: readonly CounterReading[], uses: ReadonlyMap<string, Use>): Evidence {
  let [isCharged, isOther] = [false, false]
  let [from, to] = [0, Number.POSITIVE_INFINITY]
  for (const counter of counters) {
    if (counter.counter !== 'own') continue
    const { plans, owners } = uses.get(idOf(counter)) as Use
    const { lastCharge: last } = counter
    // Where plans share a counter, only the numbers of a bucket tell which of them charged it. Numbers that no listed plan has may
    // come from a plan that is not listed.
    const isMine = plans === 1 ? last.isOwn !== false : last.isOwn === true && owners === 1
    if (last.from !== undefined && isMine) {
      isCharged = true
      from = Math.max(from, last.from)
    }
    const isTheirs = plans > 1 && last.isOwn === false
    if (last.to < to) isOther = isTheirs
    else if (last.to === to) isOther ||= isTheirs
    to = Math.min(to, last.to)
  }
  return { isCharged, from, to, isOther }
}

function idOf({ name, key, counter }: CounterReading): string {
  return `${counter} ${name} ${key}`
}
