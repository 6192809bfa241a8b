import { type Rule, shareCodes } from './rule.ts'

/** The rule of a tenant's share of a pool: a counter beside the pool's, for the same subject. Its numbers are those of the pool. */
export function shareRuleOf(pool: Rule, tenant: string): Rule {
  const code = pool.code === 'c' ? shareCodes.concurrency : shareCodes['token-bucket']
  const name = pool.counter.slice(0, -pool.code.length - 1)
  const counter = `${name}${name.includes('@') ? '' : '@'}~${tenant}:${code}`
  return Object.freeze({ ...pool, code, counter, cooldown: 0, reduced: undefined })
}
