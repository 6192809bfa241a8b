import { type Policy, HaltError, type RateLimiterOptions } from '@halt/core'

import { type Exports, importModule, type ImportFailure } from '../import-module.ts'
import { readPlans } from './plans.ts'
import { type FileSettings, readSettings } from './settings.ts'

/** Options of a limiter without its store. */
export type LimiterSettings = Omit<RateLimiterOptions, 'store'>

/** One plan: the limits of the clients that have it, together with the limits that hold for everybody. */
export interface Plan {
  /** Undefined if the file has no plans. */
  readonly name: string | undefined
  readonly settings: LimiterSettings
}

/** The limits of an application, as its limits file exports them. */
export interface Limits {
  /** At least one. */
  readonly plans: readonly Plan[]
  /** How the application names its counters. */
  readonly settings: FileSettings
  /** The name of the file, for messages. */
  readonly file: string
}

/**
 * Loads the limits from a module. Its default export, or its export `limiter`, `options`, `policies` or `policy`, is a policy, an array of
 * policies, the options of a `RateLimiter`, or a `RateLimiter`. Its export `plans` lists the policies of each plan, and `settings` says how
 * the application names its counters.
 *
 * @throws HaltError `HALT_E_POLICY_MODULE`
 */
export async function loadLimits(file: string, cwd: string): Promise<Limits> {
  const module = await load(file, cwd)
  const whole = wholeOf(module)
  const found = settingsIn(whole) ?? NAMES.map(name => settingsIn(module[name])).find(Boolean)
  const plans = readPlans(module['plans'] ?? fieldOf(whole, 'plans'), file)
  if (found === undefined && plans.length === 0)
    throw new HaltError(
      'HALT_E_POLICY_MODULE',
      `${file} was run, and exports no limits. ${exportsOf(module)}`,
      'Put the limits in a file of their own: export default { name: "api", limit: 100, window: 60 }. An array, options of a RateLimiter or a RateLimiter work too, and plans: { free: […], pro: […] }.',
    )
  const settings = readSettings(module['settings'] ?? fieldOf(whole, 'settings'), file)
  const own: LimiterSettings = { policy: [], ...found, ...(settings.apiKey && { apiKey: settings.apiKey }) }
  if (plans.length === 0) return { file, settings, plans: [{ name: undefined, settings: own }] }
  const common = policiesOf(own)
  return {
    file,
    settings,
    plans: plans.map(({ name, policies }) => ({
      name,
      settings: { ...own, policy: together(common, policies) },
    })),
  }
}

/** The fixed policies of a limiter's options; none if a function chooses them. */
export function policiesOf({ policy }: LimiterSettings): readonly Policy[] {
  if (typeof policy === 'function') return []
  return (Array.isArray(policy) ? policy : [policy]) as readonly Policy[]
}

/** The policies for everybody and the policies of a plan, each once. */
function together(common: readonly Policy[], own: readonly Policy[]): readonly Policy[] {
  return [...common.filter(policy => !own.includes(policy)), ...own]
}

async function load(file: string, cwd: string): Promise<Exports> {
  try {
    return await importModule(file, cwd)
  } catch (error) {
    const { message, fix, cause } = error as ImportFailure
    throw new HaltError(
      'HALT_E_POLICY_MODULE',
      `${file} cannot be loaded: ${message}.`,
      fix ?? 'Give a module that Node can import, for example limits.ts or limits.mjs.',
      { cause },
    )
  }
}

/** The default export. A CommonJS module of a compiler has its exports in the field `default` of its default export. */
function wholeOf(module: Exports): unknown {
  const whole = module['default']
  return fieldOf(whole, 'default') ?? whole
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined
}

function exportsOf(module: object): string {
  const names = Object.keys(module)
  return names.length === 0 ? 'It exports nothing.' : `It exports ${names.join(', ')}.`
}

/** The fields of the file itself, and those of a limiter that act upon the application. */
const NOT_OF_LIMITERS = ['store', 'control', 'telemetry', 'plans', 'settings', 'policies']
const NAMES = ['limiter', 'options', 'policies', 'policy']

function settingsIn(value: unknown): LimiterSettings | undefined {
  if (typeof value === 'function') return { policy: value as LimiterSettings['policy'] }
  if (typeof value !== 'object' || value === null) return undefined
  if (Array.isArray(value))
    return value.length > 0 ? { policy: value as LimiterSettings['policy'] } : undefined
  // A RateLimiter, perhaps of another copy of @halt/core.
  if (typeof fieldOf(value, 'checkView') === 'function') return settingsIn(fieldOf(value, 'options'))
  if ('policy' in value || 'policies' in value || 'plans' in value) {
    const fields = Object.entries(value).filter(([name]) => !NOT_OF_LIMITERS.includes(name))
    const { policies, policy = [] } = value as { policies?: unknown; policy?: unknown }
    return { ...Object.fromEntries(fields), policy: (policies ?? policy) as LimiterSettings['policy'] }
  }
  return 'limit' in value || 'name' in value ? { policy: value as never } : undefined
}
