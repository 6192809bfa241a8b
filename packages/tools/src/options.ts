import type {
  Awaitable,
  ConcurrencyPolicy,
  Cost,
  Duration,
  Identity,
  Policy,
  PolicyMode,
  Quota,
  RateLimiter,
  RatePolicy,
} from '@halt/core'
import { HaltError } from '@halt/core'
import { checkNames, describe, namesOf, parseDuration, readGivenCost, readMaxWait } from '@halt/core/http'

/** The parts of a `RateLimiter` that a guard uses. */
export type ToolLimiter = Pick<
  RateLimiter<never>,
  | 'acquire'
  | 'callbackTimeout'
  | 'check'
  | 'compile'
  | 'consume'
  | 'digestOf'
  | 'keyOf'
  | 'options'
  | 'policies'
  | 'release'
  | 'reserve'
  | 'settle'
  | 'warn'
>

/**
 * A call of a tool, as `who` sees it. It has no arguments, because a model writes these, and a model may be told to write somebody
 * else's name.
 */
export interface ToolCaller<C = unknown> {
  /** The name of the tool. */
  readonly tool: string
  /**
   * The context of the call, as the framework hands it to the tool. MCP: `extra`, with `authInfo`. AI SDK: `experimental_context` (version
   * 6) or the tool's `context` (version 7). OpenAI Agents: the context of the run. LangChain: `context`, else `configurable`. If the
   * application gave a context together with the tools, it is that one.
   */
  readonly context: C
}

/** What became of a call of a tool. */
export interface ToolOutcome {
  /** Whether the tool threw, or gave a result of MCP with `isError`. */
  readonly failed: boolean
  /** The result. Undefined if the tool threw. */
  readonly result: unknown
  /** What the tool threw. */
  readonly error: unknown
}

type Unnamed<P> = Omit<P, 'name' | 'cost'> & {
  /** The name of the policy. Default: `tool_` and the name of the tool. Tools with the same name of a limit share its counter. */
  readonly name?: string | undefined
}

/** A limit of a tool: a policy that may have no name, and counts users by default. */
export type ToolLimit = Unnamed<RatePolicy> | Unnamed<ConcurrencyPolicy> | Unnamed<Quota>

interface NoLimit {
  readonly name?: undefined
  readonly limit?: undefined
}

interface ToolFields {
  /** More limits of the tool. All limits of a call are decided in one step. */
  readonly also?: Policy | readonly Policy[] | undefined
  /**
   * The cost of a call: units of all its limits, or units by policy name, or a function of the arguments. A function that fails costs
   * more than any limit has, so the call is refused. Default: each policy's own cost.
   */
  readonly cost?: Cost | ((args: never) => Awaitable<Cost>) | undefined
  /** The units that a call has really used, when its tool has returned. Then `cost` is an estimate. */
  readonly settle?: ((result: never, args: never) => Awaitable<Cost>) | undefined
  /**
   * How long quotas hold the estimate if the process dies, from 1 s to 24 h. `false`: they charge it at once. Needs `settle`. Default:
   * `'2m'` with `settle`, a quota and no `delay`; else `false`.
   */
  readonly hold?: Duration | false | undefined
  /**
   * Called when a tool has returned or failed. If it returns false, the charge is given back, but not the count of repeats. It is not
   * called for a call that was aborted: that stays charged, and so does one for which this function fails. Default: every call is charged.
   */
  readonly chargeWhen?: ((outcome: ToolOutcome) => Awaitable<boolean>) | undefined
  /** Lets a call wait for its turn. One that would wait longer than `maxWait`, by default 30 s, is refused at once. */
  readonly delay?: { readonly maxWait?: Duration | undefined } | undefined
  /** The calls with the same arguments that one caller may make. `false`: any number. Default: `repeats` of the guard. */
  readonly repeats?: Repeats | number | false | undefined
}

/** The settings of a tool: one limit, more limits, costs. `{}`: the limits of the limiter alone. */
export type ToolSettings = ToolFields & (ToolLimit | NoLimit)

/** How often one caller may call a tool with the same arguments. */
export interface Repeats {
  /** The calls in a window. */
  readonly limit: number
  /** The length of the window. Default: 10 minutes. */
  readonly window?: Duration | undefined
  /** `"shadow"`: such calls are only reported. Default `"enforce"`. */
  readonly mode?: PolicyMode | undefined
}

/** Options of `guardTools`. `C` is the context in which tools are called. */
export interface ToolGuardOptions<C = unknown> {
  /** The limiter whose policies decide every call, with those of the tool. It has fixed policies. */
  readonly limiter: ToolLimiter
  /**
   * Who calls: an identity, or a function that finds it in the context of the call. Take it from what the transport has
   * authenticated. A call whose function fails, hangs or finds nobody is refused.
   */
  readonly who: Identity | ((caller: ToolCaller<C>) => Awaitable<Identity | null | undefined>)
  /**
   * The tools by name. `'*'` has the settings of all others, each with its own counter unless its limit has a name. Without `'*'`, a tool
   * that is not listed is refused where it is given to the guard.
   */
  readonly tools: Readonly<Record<string, ToolSettings>>
  /** How often a caller may call a tool with the same arguments. A number counts in ten minutes. Default: any number. */
  readonly repeats?: Repeats | number | undefined
}

const OPTIONS = namesOf<ToolGuardOptions>({ limiter: true, who: true, tools: true, repeats: true })
const REPEATS = namesOf<Repeats>({ limit: true, window: true, mode: true })
const FUNCTIONS = ['settle', 'chargeWhen'] as const

/** The fields of a tool's settings that are not of its limit. */
export const TOOL_FIELDS: readonly string[] = namesOf<ToolFields>({
  also: true,
  cost: true,
  settle: true,
  hold: true,
  chargeWhen: true,
  delay: true,
  repeats: true,
})

/** @throws HaltError `HALT_E_LIMITER`, `HALT_E_OPTION`, `HALT_E_POLICY_REQUIRED`, `HALT_E_UNKNOWN_FIELD` */
export function checkGuard(options: ToolGuardOptions<never>): void {
  checkNames(options as never, OPTIONS, 'guardTools')
  const { limiter, who, tools } = options
  if (typeof (limiter as Partial<ToolLimiter> | undefined)?.acquire !== 'function')
    throw new HaltError(
      'HALT_E_LIMITER',
      `guardTools got ${describe(limiter)} for its limiter.`,
      'Give a RateLimiter of @halt/core: { limiter: new RateLimiter({ store, policy }) }.',
    )
  if (limiter.policies.length === 0)
    throw new HaltError(
      'HALT_E_POLICY_REQUIRED',
      'The policies of the limiter come from a resolver, and a call of a tool is not a request.',
      'Give guardTools a limiter with fixed policies, one for each plan if there are plans.',
    )
  if (typeof who === 'string' || (typeof who === 'object' && who !== null)) limiter.keyOf(who)
  else if (typeof who !== 'function')
    throw wrong(
      'who',
      who,
      'Give a function that finds who calls: who: ({ context }) => ({ user: context.userId }).',
    )
  if (typeof tools !== 'object' || tools === null || Array.isArray(tools))
    throw wrong(
      'tools',
      tools,
      "Give the tools by name, and '*' for all others: { send_mail: { limit: 20, window: '1h' }, '*': {} }.",
    )
}

/**
 * Checks what the settings of a tool say beside its limit.
 *
 * @throws HaltError `HALT_E_COST`, `HALT_E_MAX_WAIT`, `HALT_E_OPTION`, `HALT_E_TOOL`, `HALT_E_TTL`, `HALT_E_UNKNOWN_FIELD`
 */
export function checkSettings(tool: string, settings: ToolSettings): void {
  if (typeof settings !== 'object' || settings === null || Array.isArray(settings))
    throw notATool(
      `The settings of "${tool}" are ${describe(settings)}.`,
      `Give an object: ${tool}: { limit: 20, window: '1h' }, or ${tool}: {}.`,
    )
  const { cost, delay, hold, settle } = settings
  if (cost !== undefined && typeof cost !== 'function') readGivenCost(cost)
  for (const name of FUNCTIONS)
    if (settings[name] !== undefined && typeof settings[name] !== 'function')
      throw notATool(`${name} of "${tool}" is ${describe(settings[name])}.`, 'Give a function.')
  if (delay !== undefined) {
    checkNames(delay as never, ['maxWait'], `delay of "${tool}"`)
    readMaxWait(delay.maxWait)
  }
  if (hold === undefined || hold === false) return
  const micros = parseDuration(hold, `hold of "${tool}"`, 'HALT_E_TTL')
  if (micros < 1e6 || micros > 86_400e6)
    throw new HaltError(
      'HALT_E_TTL',
      `hold of "${tool}" is ${micros / 1e6} s.`,
      'Give a time from 1 s to 24 h, or false.',
    )
  if (settle === undefined)
    throw notATool(
      `"${tool}" holds its units, and nothing settles them.`,
      'Give settle: (result) => cost, or leave out hold.',
    )
  if (delay !== undefined)
    throw notATool(
      `"${tool}" has hold and delay, and a call that waits for its turn cannot hold units.`,
      'Leave out one of them.',
    )
}

/** How often the same call is allowed; undefined if any number. @throws HaltError `HALT_E_OPTION`, `HALT_E_UNKNOWN_FIELD` */
export function readRepeats(repeats: ToolGuardOptions['repeats'] | false): Repeats | undefined {
  if (repeats === undefined || repeats === false) return undefined
  const given = typeof repeats === 'number' ? { limit: repeats } : repeats
  checkNames(given as never, REPEATS, 'repeats')
  if (!Number.isSafeInteger(given.limit) || given.limit < 1)
    throw wrong('repeats', given.limit, 'Give how often the same call is allowed in ten minutes, 1 or more.')
  return given
}

/** The error of a tool that is not, or wrongly, described. */
export function notATool(message: string, fix: string): HaltError {
  return new HaltError('HALT_E_TOOL', message, fix)
}

function wrong(name: string, value: unknown, fix: string): HaltError {
  return new HaltError('HALT_E_OPTION', `${name} of guardTools is ${describe(value)}.`, fix)
}
