import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { HaltError, type RateLimiterOptions } from '@halt/core'

/** Options of a limiter without its store: what a policy module exports. */
export type LimiterSettings = Omit<RateLimiterOptions, 'store'>

/**
 * Loads the limits from a module. Its default export, or its export `limiter`, `options`, `policies` or `policy`, is a policy,
 * an array of policies, the options of a `RateLimiter`, or a `RateLimiter`.
 *
 * @throws HaltError `HALT_E_POLICY_MODULE`
 */
export async function loadPolicyModule(path: string, cwd: string): Promise<LimiterSettings> {
  const file = resolve(cwd, path)
  let module: Readonly<Record<string, unknown>>
  try {
    module = (await import(pathToFileURL(file).href)) as Record<string, unknown>
  } catch (error) {
    throw new HaltError(
      'HALT_E_POLICY_MODULE',
      `${path} cannot be loaded: ${error instanceof Error ? error.message : String(error)}.`,
      'Give a JavaScript module that Node can import, for example limits.mjs.',
      { cause: error },
    )
  }
  const settings = settingsIn(module['default']) ?? NAMES.map(name => settingsIn(module[name])).find(Boolean)
  if (settings !== undefined) return settings
  throw new HaltError(
    'HALT_E_POLICY_MODULE',
    `${path} was run, and exports no limits. ${exportsOf(module)}`,
    'Put the limits in a file of their own: export default { name: "api", limit: 100, window: 60 }. An array, options of a RateLimiter or a RateLimiter work too.',
  )
}

function exportsOf(module: object): string {
  const names = Object.keys(module)
  return names.length === 0 ? 'It exports nothing.' : `It exports ${names.join(', ')}.`
}

const NAMES = ['limiter', 'options', 'policies', 'policy']

function settingsIn(value: unknown): LimiterSettings | undefined {
  if (typeof value === 'function') return { policy: value as LimiterSettings['policy'] }
  if (typeof value !== 'object' || value === null) return undefined
  if (Array.isArray(value))
    return value.length > 0 ? { policy: value as LimiterSettings['policy'] } : undefined
  const fields = value as { readonly options?: unknown; readonly checkView?: unknown }
  // A RateLimiter, perhaps of another copy of @halt/core.
  if (typeof fields.checkView === 'function') return settingsIn(fields.options)
  if ('policy' in value) {
    const { store: _, control: __, telemetry: ___, ...settings } = value as unknown as RateLimiterOptions
    return settings
  }
  // A CommonJS module of a compiler has its exports in `default`.
  if ('default' in value) return settingsIn(value.default)
  return 'limit' in value || 'name' in value ? { policy: value as never } : undefined
}
