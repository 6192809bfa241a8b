import type { CompiledPolicy, Duration, Policy } from '@halt/core'

import {
  checkSettings,
  notATool,
  readRepeats,
  TOOL_FIELDS,
  type ToolGuardOptions,
  type ToolLimiter,
  type ToolSettings,
} from './options.ts'
import { repeatLimits } from './repeats.ts'

/** The settings of all tools that are not listed. */
const OTHERS = '*'
const POLICY_NAME = /^[A-Za-z0-9_.-]{1,59}$/
const DEFAULT_HOLD: Duration = '2m'

/** A tool that a guard knows: its limits, and what a call of it costs. */
export interface Tool extends Pick<ToolSettings, 'chargeWhen' | 'delay' | 'settle'> {
  readonly name: string
  /** The limits of the tool beside those of the limiter. */
  readonly limits: readonly Policy[]
  readonly cost: ToolSettings['cost']
  /** How long quotas hold the estimate of a call; undefined if they charge it at once. */
  readonly hold: Duration | undefined
  /** The limits of a call with these arguments: those of the tool, and how often the same call is allowed. */
  readonly limitsOf: (args: unknown) => readonly Policy[] | undefined
}

/** The tools of a guard. */
export class Tools {
  readonly #limiter: ToolLimiter
  readonly #listed: ToolGuardOptions<never>['tools']
  readonly #repeats: ToolGuardOptions<never>['repeats']
  readonly #known = new Map<string, Tool>()

  constructor({ limiter, tools, repeats }: ToolGuardOptions<never>) {
    this.#limiter = limiter
    this.#listed = tools
    this.#repeats = repeats
    readRepeats(repeats)
    for (const name of Object.keys(tools)) this.#make(name, tools[name] as ToolSettings)
    // Its limits count only under the names of the tools that it stands for.
    this.#known.delete(OTHERS)
  }

  /** A tool by name. @throws HaltError `HALT_E_TOOL` if it is not listed, and there is no `'*'` */
  named(name: string): Tool {
    const known = this.#known.get(name)
    if (known !== undefined) return known
    const others = Object.hasOwn(this.#listed, OTHERS) ? this.#listed[OTHERS] : undefined
    if (others !== undefined && name !== OTHERS && typeof name === 'string') return this.#make(name, others)
    throw notATool(
      `The tool ${JSON.stringify(name)} is not listed.`,
      `Name it in tools (${Object.keys(this.#listed).join(', ')}), or say what holds for all others: '*': {}.`,
    )
  }

  /** The limits of all tools that are listed, or were given to the guard. */
  get limits(): readonly Policy[] {
    const byName = new Map<string, Policy>()
    for (const { limits } of this.#known.values()) for (const limit of limits) byName.set(limit.name, limit)
    return [...byName.values()]
  }

  #make(name: string, settings: ToolSettings): Tool {
    checkSettings(name, settings)
    const limiter = this.#limiter
    const limits = limitsIn(name, settings)
    const repeats = repeatLimits(name, limits, readRepeats(settings.repeats ?? this.#repeats), limiter)
    const own = limits.length > 0 ? limits : undefined
    // Mistakes show here, and not in a call.
    const compiled = limiter.compile(undefined, repeats?.sample ?? own)
    const { chargeWhen, cost, delay, settle } = settings
    const tool: Tool = {
      name,
      limits,
      chargeWhen,
      cost,
      delay,
      settle,
      hold: holdOf(name, settings, compiled),
      limitsOf: args => repeats?.of(args) ?? own,
    }
    this.#known.set(name, tool)
    return tool
  }
}

function holdOf(
  tool: string,
  { hold, settle, delay }: ToolSettings,
  policies: readonly CompiledPolicy[],
): Duration | undefined {
  if (hold === false) return undefined
  if (policies.some(({ algorithm }) => algorithm === 'quota'))
    return hold ?? (settle !== undefined && delay === undefined ? DEFAULT_HOLD : undefined)
  if (hold === undefined) return undefined
  throw notATool(
    `"${tool}" holds its units, and none of its limits is a quota.`,
    "Give a budget a period, as in { limit: 100, period: 'daily' }, or leave out hold.",
  )
}

/** The limits that the settings of a tool name. */
function limitsIn(tool: string, settings: ToolSettings): readonly Policy[] {
  const { also = [] } = settings
  const more = (Array.isArray(also) ? also : [also]) as readonly Policy[]
  const fields = Object.entries(settings).filter(
    ([name, value]) => value !== undefined && !TOOL_FIELDS.includes(name),
  )
  if (fields.length === 0) return Object.freeze([...more])
  const given = Object.fromEntries(fields) as Partial<Policy> & { readonly limit: number }
  if (given.name === undefined && tool !== OTHERS && !POLICY_NAME.test(tool))
    throw notATool(
      `"${tool}" has a limit, and its name cannot name a policy.`,
      `Give the limit a name: ${JSON.stringify(tool)}: { name: 'my_tool', … }.`,
    )
  const isConcurrency = given.algorithm === 'concurrency'
  const isCost = typeof settings.cost === 'number' && settings.cost >= 1 && given.counts !== 'requests'
  const limit = {
    name: tool === OTHERS ? 'tool' : `tool_${tool}`,
    keyStrategy: 'user',
    // A call is one call in flight, whatever it costs.
    ...(isConcurrency ? { counts: 'requests' } : isCost ? { cost: Math.ceil(settings.cost as number) } : {}),
    ...given,
  } as Policy
  return Object.freeze([Object.freeze(limit), ...more])
}
