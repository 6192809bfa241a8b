// A Worker whose objects fail in different ways, and its calls of the store.
import { type Policy, RateLimiter } from '@halt/core'
import { type Group, Mode } from '@halt/core/store'

import { demandOf, ruleOf } from '../../../conformance/src/store/bench.ts'
import { DurableObjectStore, HaltCounters, type ObjectNamespace, type ObjectState } from '../../src/index.ts'

export { HaltCounters }

/** A class that is bound without SQLite. */
export class PlainCounters extends HaltCounters {}

interface TestState extends ObjectState {
  readonly storage: ObjectState['storage'] & { sync(): Promise<void> }
  abort(reason: string): void
}

/** Restarts once: after a charge was kept, and before the reply. */
export class Restarting extends HaltCounters {
  readonly #state: TestState

  constructor(state: TestState) {
    super(state)
    this.#state = state
  }

  override async fetch(request: Request): Promise<Response> {
    const response = await super.fetch(request)
    const { sql } = this.#state.storage
    if (sql.exec("select 1 from sqlite_master where name = 'restarted'").toArray().length > 0) return response
    sql.exec('create table restarted (at integer)')
    await this.#state.storage.sync()
    this.#state.abort('the object restarts')
    return response
  }
}

/** Something else has written its counters. */
export class Overwritten extends HaltCounters {
  readonly #state: ObjectState

  constructor(state: ObjectState) {
    super(state)
    this.#state = state
  }

  override async fetch(request: Request): Promise<Response> {
    const response = await super.fetch(request)
    this.#state.storage.sql.exec("update counters set state = 'nothing of Halt'")
    return response
  }
}

/** Its alarms ring soon. Tells its rows. */
export class Impatient extends HaltCounters {
  readonly #state: ObjectState

  constructor(state: ObjectState) {
    const { storage } = state
    super({
      blockConcurrencyWhile: work => state.blockConcurrencyWhile(work),
      storage: {
        sql: storage.sql,
        transactionSync: work => storage.transactionSync(work),
        getAlarm: () => storage.getAlarm(),
        setAlarm: () => storage.setAlarm(Date.now() + 20),
        deleteAll: () => storage.deleteAll(),
      },
    })
    this.#state = state
  }

  override async fetch(request: Request): Promise<Response> {
    if (request.method === 'POST') return super.fetch(request)
    const { sql } = this.#state.storage
    const tables = sql.exec("select name from sqlite_master where name = 'counters'").toArray()
    const rows = tables.length === 0 ? undefined : sql.exec('select key from counters').toArray()
    return Response.json(rows?.map(({ key }) => (JSON.parse(key as string) as string[])[1]) ?? 'no table')
  }
}

/** Answers much later. */
export class Slow {
  async fetch(): Promise<Response> {
    await new Promise(resolve => void setTimeout(resolve, 30_000))
    return new Response('late')
  }
}

/** Another service: a page of HTML. */
export class Html {
  fetch(): Response {
    return new Response('<html><h1>Bad gateway</h1></html>', { status: 502 })
  }
}

/** Answers JSON that is not a reply. */
export class Foreign {
  fetch(): Response {
    return Response.json({ result: [1, 2, 3] })
  }
}

/** Answers an evaluation that decides more than it was asked. */
export class Liar {
  fetch(): Response {
    const now = Date.now() * 1000
    return Response.json({
      answer: { now, allowed: true, repeated: false, passes: [], starts: [], states: [], penalty: [] },
    })
  }
}

/** Has no handler. */
export class Handlerless {}

type Env = Readonly<Record<string, ObjectNamespace & { getByName(name: string): { fetch: typeof fetch } }>>

const policy: Policy = { name: 'p', limit: 5, window: '1h' }
const limiters = new Map<string, RateLimiter>()
// Kept over requests, as in an application.
const limiterOf = (kind: string, env: Env): RateLimiter => {
  let limiter = limiters.get(kind)
  if (limiter === undefined) {
    const store = new DurableObjectStore({ namespace: env[kind] ?? uneven(env) })
    limiters.set(kind, (limiter = new RateLimiter({ store, policy, warn: () => {} })))
  }
  return limiter
}

// One object answers first, and then one that is slow.
const uneven = (env: Env): ObjectNamespace => {
  let calls = 0
  return {
    idFromName: name => name,
    get: (name: string) => (env[calls++ === 0 ? 'HALT' : 'SLOW'] as Env[string]).getByName(name),
  }
}

const rule = ruleOf('token-bucket', { limit: 5, window: 3600, counter: 'p' })
const group: Group = { demands: [demandOf(rule)] }

const calls: Readonly<Record<string, (env: Env, kind: string, rest: string) => Promise<unknown>>> = {
  async consume(env, kind) {
    const { allowed, degraded, remaining } = await limiterOf(kind, env).consume({ user: '42' })
    return { allowed, degraded, remaining }
  },
  ready: (env, kind) => limiterOf(kind, env).ready(),
  evaluate: (env, kind) =>
    new DurableObjectStore({ namespace: env[kind] as ObjectNamespace }).evaluate(group),
  // Of two subjects, the object of one fails.
  async both(env, kind) {
    const namespace: ObjectNamespace = {
      idFromName: name => name,
      get: (name: string) => (env[name.includes('user:') ? kind : 'HALT'] as Env[string]).getByName(name),
    }
    const store = new DurableObjectStore({ namespace, prefix: `${kind}:` })
    const address = demandOf(rule, 1, { subject: 'ip:203.0.113.7' })
    const failed = await store.evaluate({ demands: [...group.demands, address] }).catch(toFields)
    const { states } = await store.evaluate({ demands: [{ ...address, mode: Mode.PEEK }] })
    return { failed, debt: states[0]?.[2] ?? 0 }
  },
  // A group of the counter of `evaluate` and of another one.
  async beside(env, kind) {
    const store = new DurableObjectStore({ namespace: env[kind] as ObjectNamespace })
    const other = demandOf(ruleOf('token-bucket', { limit: 5, window: 3600, counter: 'other' }))
    const failed = await store.evaluate({ demands: [other, ...group.demands] }).catch(toFields)
    const { states } = await store.evaluate({ demands: [{ ...other, mode: Mode.PEEK }] })
    return { failed, debt: states[0]?.[2] ?? 0 }
  },
  // Charges a counter at an instant, or looks at it.
  async at(env, kind, rest) {
    const [seconds, counter = '', window] = rest.split(' ')
    const namespace = env[kind] as ObjectNamespace
    const clock = (): number => Number(seconds) * 1000
    const own = ruleOf('fixed-window', { window: Number(window ?? 10), counter })
    const mode = window === undefined ? Mode.PEEK : Mode.CHARGE
    const demands = [demandOf(own, 1, { mode })]
    return (await new DurableObjectStore({ namespace, clock }).evaluate({ demands })).allowed
  },
  rows: async (env, kind) => {
    const stub = (env[kind] as Env[string]).getByName('halt:subject:user:42')
    return (await stub.fetch('https://halt/')).json()
  },
  async document(env, kind) {
    const document = new DurableObjectStore({ namespace: env[kind] as ObjectNamespace }).document('control')
    const text = '\u20ac\u{1F6D1}'.repeat(2 ** 18)
    await document.write(text, '0')
    return (await document.read())?.text === text
  },
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const [, call = '', kind = '', rest = ''] = decodeURIComponent(new URL(request.url).pathname).split('/')
    try {
      return Response.json((await calls[call]?.(env, kind, rest)) ?? null)
    } catch (error) {
      return Response.json(toFields(error))
    }
  },
}

function toFields(error: unknown): object {
  const { code, failure, reply, message, fix } = error as Readonly<Record<string, unknown>>
  return { code, failure, reply, message, fix }
}
