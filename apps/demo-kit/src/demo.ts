import { randomBytes, randomUUID } from 'node:crypto'

import { Accounts } from './accounts.ts'
import type { Listening, Start } from './app.ts'
import { Operator } from './operator.ts'
import { type Scene, show } from './show.ts'
import { openStore, type StoreOptions } from './store.ts'

/** A demo app, as `npm run demo` runs it. */
export interface Demo<L extends Listening> {
  /** As people write it. */
  readonly framework: string
  /** As the command has it. */
  readonly name: string
  readonly start: Start<L>
  /** What only this framework shows. */
  readonly more?: readonly Scene<L>[]
  readonly library?: StoreOptions['library']
}

/** Shows what clients of an app see, and ends; with `--serve` serves it, for requests of your own. */
export async function runDemo<L extends Listening>(demo: Demo<L>): Promise<void> {
  if (process.argv.includes('--serve')) return serve(demo)
  const ok = await perform(demo)
  const curl = 'curl -i -H "X-Demo-User: ann" http://localhost:3000/quotes'
  console.log(
    ok
      ? `\nTo try it yourself: npm run demo -- ${demo.name} --serve, then ${curl}`
      : '\nThis is not what a client should see.',
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
      `Halt on ${framework}, counters ${opened.where}. Limit, Remaining and Reset are the RateLimit-* headers.`,
    )
    return await show(app, line => console.log(line), { token, more })
  } finally {
    await app.close()
    await opened.close()
  }
}

async function serve<L extends Listening>({ start, library }: Demo<L>): Promise<void> {
  const { env } = process
  const { store, where, close } = openStore({ url: env['REDIS_URL'], library })
  const operator = Operator.from(env['HALT_OPERATOR_TOKEN'], store)
  const app = await start({ store, accounts: new Accounts(), operator }, Number(env['PORT'] ?? 3000))
  console.log(`Listening on ${app.url}, counters ${where}. Stop with Ctrl-C.`)
  if (operator === undefined) {
    console.log(
      'With HALT_OPERATOR_TOKEN=… (16 characters or more) there are /live/, /metrics and /debug/explain, too.',
    )
  } else {
    console.log(`Live: ${app.url}/live/ (the token is the password; any name). Why: ${app.url}/debug/explain`)
  }
  async function stop(): Promise<void> {
    await app.close()
    await close()
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop())
}
