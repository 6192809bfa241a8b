import { randomBytes, randomUUID } from 'node:crypto'

import { Accounts } from './accounts.ts'
import type { Listening, Start } from './app.ts'
import { Operator } from './operator.ts'
import { type Scene, show } from './show.ts'
import { openStore, type StoreOptions } from './store.ts'

/** A demo app that `npm run demo` runs. */
export interface Demo<L extends Listening> {
  /** The name of the framework. */
  readonly framework: string
  /** The name in the command. */
  readonly name: string
  readonly start: Start<L>
  /** Scenes of this framework alone. */
  readonly more?: readonly Scene<L>[]
  readonly library?: StoreOptions['library']
}

/** Shows what clients of an app see, and ends. With `--serve` it serves the app for your own requests. */
export async function runDemo<L extends Listening>(demo: Demo<L>): Promise<void> {
  if (process.argv.includes('--serve')) return serve(demo)
  const ok = await perform(demo)
  const curl = 'curl -i -H "X-Demo-User: ann" http://localhost:3000/quotes'
  console.log(
    ok
      ? `\nTo try it yourself, run "npm run demo -- ${demo.name} --serve", and in another terminal: ${curl}`
      : '\nSome answers are not as they should be: see the lines with ✗ above.',
  )
  process.exitCode = ok ? 0 : 1
}

async function perform<L extends Listening>({ framework, start, more, library }: Demo<L>): Promise<boolean> {
  const { env } = process
  const opened = openStore({ url: env['REDIS_URL'], prefix: `halt:demo:${randomUUID()}:`, library })
  const token = randomBytes(16).toString('hex')
  const operator = new Operator(token, opened.store)
  const app = await start({ store: opened.store, accounts: new Accounts(), operator }, 0)
  try {
    console.log(
      `Halt on ${framework}, with its counters ${opened.where}. Each line is a request and its answer; Limit, Remaining and Reset are the RateLimit-* headers.`,
    )
    return await show(app, line => console.log(line), { token, more })
  } finally {
    operator.close()
    await app.close()
    await opened.close()
  }
}

async function serve<L extends Listening>({ start, library }: Demo<L>): Promise<void> {
  const { env } = process
  const { store, where, close } = openStore({ url: env['REDIS_URL'], library })
  const operator = Operator.from(env['HALT_OPERATOR_TOKEN'], store)
  const app = await start({ store, accounts: new Accounts(), operator }, Number(env['PORT'] ?? 3000))
  console.log(`Listening on ${app.url}, with the counters ${where}. Stop it with Ctrl-C.`)
  if (operator === undefined) {
    console.log(
      'Set HALT_OPERATOR_TOKEN to 16 characters or more to turn on /operator/, /metrics and /debug/explain.',
    )
  } else {
    console.log(
      `The operator's page is ${app.url}/operator/. Your browser asks for a name (yours) and a password (the token). ${app.url}/debug/explain tells why a request is refused.`,
    )
  }
  async function stop(): Promise<void> {
    operator?.close()
    await app.close()
    await close()
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop())
}
