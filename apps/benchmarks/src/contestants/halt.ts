import { type Algorithm, RateLimiter } from '@halt/core'
import { type Group, Mode, type Rule, type Evaluation } from '@halt/core/store'
import { InMemoryStore } from '@halt/store-memory'

import type { Answer, MemoryContestant, Task } from './contestant.ts'

/** The rule that a limiter compiles a policy to. */
export function ruleOf(algorithm: Algorithm, { limit, windowMs }: Task, burst?: number): Rule {
  const policy = {
    name: 'api',
    limit,
    window: `${windowMs}ms`,
    algorithm,
    ...(burst === undefined ? {} : { burst }),
  }
  const limiter = new RateLimiter({ store: new InMemoryStore(), policy: policy as never })
  const [compiled] = limiter.policies
  if (compiled === undefined) throw new Error('no policy')
  return compiled.rule(undefined)
}

/** The group of one policy, as the limiter writes it for every check. */
export function groupOf(rule: Rule, subject: string): Group {
  const demand = { cost: 1, mode: Mode.CHARGE, edges: undefined, rule, subject, penalized: false }
  return { demands: [demand], penalty: undefined, idempotency: undefined }
}

function haltStore(algorithm: Algorithm, answer: Answer): MemoryContestant<Evaluation> {
  return {
    name: `@halt/store-memory, ${answer}`,
    answer,
    isAsync: false,
    open(task) {
      const store = new InMemoryStore({ maxKeys: 4_000_000 })
      const rule = ruleOf(algorithm, task)
      return {
        ask: key => store.evaluate(groupOf(rule, key)) as Evaluation,
        admits: evaluation => evaluation.allowed,
      }
    },
  }
}

export const haltBucket: MemoryContestant<Evaluation> = haltStore('token-bucket', 'token bucket')
export const haltWindow: MemoryContestant<Evaluation> = haltStore('fixed-window', 'fixed window')
export const haltSliding: MemoryContestant<Evaluation> = haltStore('sliding-window', 'sliding window')
