import { type Algorithm, type Decision, RateLimiter } from '@halt/core'
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

/** A request as Node gives it to a handler, with the headers of a browser. */
export class NodeRequest {
  readonly method = 'GET'
  readonly url = '/api/items?page=2'
  readonly headers: Record<string, string> = HEADERS
  readonly socket: { readonly remoteAddress: string }

  constructor(remoteAddress: string) {
    this.socket = { remoteAddress }
  }
}

const HEADERS = {
  host: 'api.example.com',
  'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  accept: 'application/json',
  'accept-encoding': 'gzip, deflate, br',
  'accept-language': 'en-GB,en;q=0.5',
  cookie: 'session=3fa85f64-5717-4562-b3fc-2c963f66afa6',
  connection: 'keep-alive',
}

/** A whole check of a request, from reading its address to the decision. */
export const haltCheck: MemoryContestant<Decision> = {
  name: '@halt/core, limiter.check(request)',
  answer: 'token bucket',
  isAsync: true,
  open({ limit, windowMs }) {
    const store = new InMemoryStore({ maxKeys: 4_000_000 })
    const limiter = new RateLimiter({ store, policy: { name: 'api', limit, window: `${windowMs}ms` } })
    return {
      ask: address => limiter.check(new NodeRequest(address)),
      admits: decision => decision.allowed,
    }
  },
}
