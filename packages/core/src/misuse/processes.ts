import type { Warn } from '../base/warnings.ts'
import { capabilitiesOf } from '../store/capabilities.ts'
import type { Store } from '../store/contract.ts'

interface Globals {
  readonly process?: { readonly env?: Readonly<Record<string, string | undefined>> }
  readonly Deno?: {
    readonly permissions?: {
      querySync(what: { readonly name: 'env'; readonly variable: string }): { readonly state: string }
    }
  }
}

// Environment variables by which a manager shows that a process is one of several, or is short-lived.
const SIGNS: readonly (readonly [variable: string, role: string, isSign?: (value: string) => boolean])[] = [
  ['NODE_UNIQUE_ID', "a worker of Node's cluster"],
  ['pm_id', 'an instance of PM2', value => value !== '0'],
  ['WEB_CONCURRENCY', 'one of several web processes', value => Number(value) > 1],
  ['AWS_LAMBDA_FUNCTION_NAME', 'an AWS Lambda function'],
  ['K_SERVICE', 'a Cloud Run container'],
  ['FUNCTION_NAME', 'a cloud function'],
  ['VERCEL', 'a Vercel function'],
]

/** Warns of counters in memory when other processes serve the same clients with counters of their own. */
export function noticeProcesses(store: Store, instances: number | 'auto', warn: Warn): void {
  if (capabilitiesOf(store).kind !== 'memory') return
  const role = instances !== 'auto' && instances > 1 ? `one of ${instances} instances` : sharedRole()
  if (role === undefined) return
  warn({
    code: 'HALT_W_MEMORY_STORE_SHARED',
    message: `Counters are in this process's memory, and the process is ${role}. So each process gives every client the whole limit.`,
    fix: 'On one machine give store: new SqliteStore({ database }) of @halt/store-sqlite, on several new RedisStore({ client }): all processes share it.',
  })
}

function sharedRole(): string | undefined {
  return SIGNS.find(([name, , isSign]) => {
    const value = variable(name)
    return value !== undefined && value !== '' && (isSign === undefined || isSign(value))
  })?.[1]
}

/** An environment variable. Undefined if this runtime has none, or does not permit to read it. */
function variable(name: string): string | undefined {
  const { process, Deno } = globalThis as Globals
  // Deno throws without the permission, and before that it asks whoever sits at the terminal.
  const permitted = Deno?.permissions?.querySync({ name: 'env', variable: name }).state
  return permitted === undefined || permitted === 'granted' ? process?.env?.[name] : undefined
}
