import type { Warn } from '../base/warnings.ts'
import type { Store } from '../store/contract.ts'

interface ProcessLike {
  readonly env?: Readonly<Record<string, string | undefined>>
}

// What tells a process that it has siblings, or does not last: by the variable that its manager sets.
const SIGNS: readonly (readonly [variable: string, who: string, isSign?: (value: string) => boolean])[] = [
  ['NODE_UNIQUE_ID', "a worker of Node's cluster"],
  ['pm_id', 'an instance of PM2', value => value !== '0'],
  ['WEB_CONCURRENCY', 'one of several web processes', value => Number(value) > 1],
  ['AWS_LAMBDA_FUNCTION_NAME', 'an AWS Lambda function'],
  ['K_SERVICE', 'a Cloud Run container'],
  ['FUNCTION_NAME', 'a cloud function'],
  ['VERCEL', 'a Vercel function'],
]

/** Warns of counters in memory where other processes serve the same clients with counters of their own. */
export function noticeProcesses(store: Store, instances: number | 'auto', warn: Warn): void {
  if (store.kind !== 'memory') return
  const who = instances !== 'auto' && instances > 1 ? `one of ${instances} instances` : siblings()
  if (who === undefined) return
  warn({
    code: 'HALT_W_MEMORY_STORE_SHARED',
    message: `Counters are in this process's memory, and it is ${who}: each process lets every client have the whole limit.`,
    fix: 'Give store: new RedisStore({ client }), which all of them share.',
  })
}

function siblings(): string | undefined {
  const { env } = (globalThis as { process?: ProcessLike }).process ?? {}
  if (env === undefined) return undefined
  return SIGNS.find(([name, , isSign]) => {
    const value = env[name]
    return value !== undefined && value !== '' && (isSign === undefined || isSign(value))
  })?.[1]
}
