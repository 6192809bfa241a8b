import type { Algorithm } from './algorithm.ts'
import { type Rule, type State, shareCodes } from './rule.ts'
import { paceOf, speedAt, timeTo, type VirtualClock } from './virtual-clock.ts'

/** How far a tag may be ahead of its clock. Every sum stays exact. */
const MOST_AHEAD = 2 ** 48
const [UNTIL, TAG, EPOCH, READING, CLOCK] = [1, 2, 3, 4, 5] as const

/**
 * The turn of a tenant in a token bucket that tenants share fairly. A tenant has a tag: the reading of the bucket's
 * {@link VirtualClock} at which its next turn comes. A charge moves the tag on by its cost, divided by the tenant's weight. A tenant whose turn it is not must
 * wait, unless the bucket is at least half full.
 *
 * State: `[0, until, tag, epoch]`: the instant from which the tag is forgotten, and the clock that it belongs to. In an evaluation
 * `[0, until, tag, epoch, reading, clock]`: the reading and the epoch of the bucket's clock are added, because a tag means nothing without them.
 *
 * Source: start-time fair queueing (Goyal, Vin and Cheng, 1996), without a queue.
 */
export const turnShare: Algorithm = {
  layout: 'tag',
  refills: false,
  isQuota: false,
  isFlight: false,
  // The bucket beside it decides, as `store/share-claim.ts` says.
  fits: () => true,
  charge() {},
  refund() {},
  idle: () => [0, 0, 0],
  reads: ({ length }) => length === 4 || length === 6,
  lastCharge: (_state, now) => ({ from: undefined, to: now, isOwn: undefined }),
  freshAt: state => (state.length === 0 ? 0 : state[UNTIL]!),
  limit: (_state, _now, rule) => rule.limit,
  used: () => 0,
  remaining: () => Number.POSITIVE_INFINITY,
  wait: () => 0,
  chargedTo: () => 0,
  partEnd: () => Number.POSITIVE_INFINITY,
  correctableFor: rule => paceOf(rule).kept,
}

/** A tenant that asks for units of a bucket. */
export interface TenantRequest {
  /** The bucket's rule, and its debt at this instant. */
  readonly pool: Rule
  readonly debt: number
  readonly clock: VirtualClock
  readonly weight: number
  /** The tag at which the tenant's turn comes, where it has asked before and was told to come back. */
  readonly ticket?: Ticket | undefined
}

/** A turn that a tenant was promised. */
export interface Ticket {
  readonly tag: number
  /** The epoch of the clock. */
  readonly epoch: number
}

/** Whether a tenant may take units now. Who takes none needs no turn. */
export function isTurn(state: State, now: number, units: number, turn: TenantRequest): boolean {
  return units === 0 || isAbundant(units, turn) || startOf(state, now, units, turn) <= turn.clock.reading
}

/** Moves the tag on by units that the tenant takes. With a ticket they were counted when it was given. */
export function takeTurn(state: State, now: number, units: number, turn: TenantRequest): void {
  const { clock, ticket } = turn
  const isCounted = ticket?.epoch === clock.epoch && isValid(state, now, clock)
  const start = isCounted ? state[TAG]! : startOf(state, now, units, { ...turn, ticket: undefined })
  const tag = isCounted ? start : start + distance(units, turn)
  keep(state, now, isAbundant(units, turn) ? Math.min(tag, clock.reading) : tag, turn)
}

/** Promises the tenant its next turn: counts the units, and the tag before them is its ticket. */
export function giveTicket(state: State, now: number, units: number, turn: TenantRequest): void {
  keep(state, now, startOf(state, now, units, turn) + distance(units, turn), turn)
}

/** The ticket that {@link giveTicket} gave, read from the tag in an evaluation. */
export function ticketIn(state: State, units: number, pool: Rule, weight: number): Ticket {
  return { tag: state[TAG]! - distance(units, { pool, weight }), epoch: state[EPOCH]! }
}

/** Corrects the tag by units that were used beyond those taken, or by fewer, if negative. Returns whether it changed. */
export function correctTurn(state: State, now: number, units: number, turn: TenantRequest): boolean {
  const { clock } = turn
  const isKnown = isValid(state, now, clock)
  if (!isKnown && units <= 0) return false
  const by = units < 0 ? -distance(-units, turn) : distance(units, turn)
  keep(state, now, (isKnown ? state[TAG]! : clock.reading) + by, turn)
  return true
}

/** What a tag and its clock are at an instant, for those who must wait, and for people. */
export interface Lead {
  /** How far the tenant is ahead of the clock. 0 or less: it is its turn. */
  readonly ahead: number
  /** Microseconds until the tenant may take units that are left, if nobody else asks. */
  readonly wait: number
}

/** Reads how a tenant stands, from its state in an evaluation. */
export function leadOf(
  state: State,
  now: number,
  units: number,
  turn: Pick<TenantRequest, 'pool' | 'debt' | 'ticket'>,
): Lead {
  const { pool, debt, ticket } = turn
  const clock = { reading: state[READING]!, epoch: state[CLOCK]! }
  const ahead = (tagOf(state, now, clock, ticket) ?? clock.reading) - clock.reading
  if (ahead <= 0 || units === 0) return { ahead, wait: 0 }
  const scarce = debt + units * pool.unit - paceOf(pool).plenty
  const toPlenty = Math.max(0, Math.ceil(scarce / pool.rate))
  return { ahead, wait: Math.min(timeTo(ahead, debt, pool), toPlenty, Math.max(0, state[UNTIL]! - now)) }
}

/** The state of a tag with the reading of its clock, as an evaluation tells it. */
export function withReading(state: State, { reading, epoch }: VirtualClock): State {
  return state.length === 0 ? [0, 0, 0, 0, reading, epoch] : [...state.slice(0, 4), reading, epoch]
}

/** The units a second that a tenant of weight 1 gets at a debt. */
export function levelAt(debt: number, pool: Rule): number {
  return (speedAt(debt, pool) * 1e6) / paceOf(pool).perUnit
}

/** Whether so much is left, once the units are taken, that nobody needs a turn. */
function isAbundant(units: number, { debt, pool }: Pick<TenantRequest, 'debt' | 'pool'>): boolean {
  return debt + units * pool.unit <= paceOf(pool).plenty
}

/** The tag from which units are counted. A tenant that has not asked for long has a credit of what is left, and no more. */
function startOf(state: State, now: number, units: number, turn: TenantRequest): number {
  const { clock, pool, debt, ticket } = turn
  const left = Math.floor((pool.capacity * pool.unit - debt) / pool.unit) - units
  const least = clock.reading - Math.max(0, left) * paceOf(pool).perUnit
  return Math.max(least, tagOf(state, now, clock, ticket) ?? least)
}

function tagOf(
  state: State,
  now: number,
  clock: VirtualClock,
  ticket: Ticket | undefined,
): number | undefined {
  // A ticket is void as well once the tag that it was taken from is forgotten or reset.
  if (!isValid(state, now, clock)) return undefined
  if (ticket === undefined) return state[TAG]!
  return ticket.epoch === clock.epoch ? ticket.tag : undefined
}

function isValid(state: State, now: number, { epoch }: VirtualClock): boolean {
  return state.length > 0 && state[EPOCH] === epoch && now < state[UNTIL]!
}

function distance(units: number, { pool, weight }: Pick<TenantRequest, 'pool' | 'weight'>): number {
  return Math.floor((Math.min(units, pool.capacity) * paceOf(pool).perUnit) / weight)
}

function keep(state: State, now: number, tag: number, { clock, pool }: TenantRequest): void {
  // Whole seconds, so that a store keeps it in four bytes.
  const until = Math.ceil((now + paceOf(pool).kept) / 1e6) * 1e6
  state.splice(0, state.length, 0, until, Math.min(tag, clock.reading + MOST_AHEAD), clock.epoch)
}

/** The rule of a tenant's share of a pool: a counter beside the pool's, for the same subject. Its numbers are those of the pool. */
export function shareRuleOf(pool: Rule, tenant: string): Rule {
  const code = pool.code === 'c' ? shareCodes.concurrency : shareCodes['token-bucket']
  const name = pool.counter.slice(0, -pool.code.length - 1)
  const counter = `${name}${name.includes('@') ? '' : '@'}~${tenant}:${code}`
  return Object.freeze({ ...pool, code, counter, cooldown: 0, reduced: undefined })
}
