import { RateLimiter } from '@halt/core'
import type { Screen } from '@halt/demo-kit/screen'
import { InMemoryStore } from '@halt/store-memory'
import { guardTools, isToolRefusal } from '@halt/tools'
import { generateText, stepCountIs, tool } from 'ai'
import { z } from 'zod'

import { eagerModel } from './eager-model.ts'

const ANN = { user: 'ann' }
const MAILS = 3
const REPEATS = 4
const CALLS = 100
/** The steps after which the application ends an agent. */
const STEPS = 60

/** What became of a run of the agent. */
interface Run {
  readonly mails: number
  readonly looks: number
  readonly refusals: readonly string[]
  readonly steps: number
  readonly text: string
}

/** The tools of the agent, and what they have done. */
function office() {
  const done = { mails: 0, looks: 0 }
  const tools = {
    send_mail: tool({
      description: 'Sends a mail.',
      inputSchema: z.object({ to: z.string(), text: z.string() }),
      execute: async () => `Mail ${++done.mails} is sent.`,
    }),
    read_mail: tool({
      description: 'Reads the mails of somebody.',
      inputSchema: z.object({ from: z.string() }),
      execute: async () => {
        done.looks++
        return 'No mail.'
      },
    }),
  }
  return { done, tools }
}

type Tools = ReturnType<typeof office>['tools']

async function run(guarded: (tools: Tools) => Tools): Promise<Run> {
  const { done, tools } = office()
  const { text, steps } = await generateText({
    model: eagerModel(),
    tools: guarded(tools),
    stopWhen: stepCountIs(STEPS),
    prompt: 'Get an answer from the supplier.',
  })
  const results = steps.flatMap(({ toolResults }) => toolResults.map(({ output }): unknown => output))
  const refusals = results.filter(isToolRefusal).map(({ message }) => message)
  return { ...done, refusals, steps: steps.length, text }
}

/** Lets an agent loop without a guard, and with one. True if the guard held. */
export async function show(screen: Screen): Promise<boolean> {
  screen.print(
    'An agent is to get an answer from a supplier, who is on holiday. It mails, looks, and mails again.\n',
  )
  const free = await run(tools => tools)
  screen.print(`without a guard    ${'✉'.repeat(free.mails)}`)
  screen.print(
    `                   ${free.mails} mails and ${free.looks} looks, until the application ended it after ${free.steps} steps\n`,
  )

  const limiter = new RateLimiter({
    store: new InMemoryStore(),
    policy: { name: 'tool_calls', limit: CALLS, window: '1d', keyStrategy: 'user' },
  })
  const guard = guardTools({
    limiter,
    who: ANN,
    tools: { send_mail: { limit: MAILS, window: '1d' }, '*': {} },
    repeats: REPEATS,
  })
  const held = await run(tools => guard.aiSdk(tools))
  const { remaining } = await limiter.peek(ANN)
  screen.print(`with @halt/tools   ${'✉'.repeat(held.mails)}`)
  screen.print(`                   ${held.mails} mails and ${held.looks} looks`)
  for (const message of held.refusals) screen.print(`  the model is told: ${message}`)
  screen.print(`  it answers:        ${held.text}\n`)

  const check = (holds: boolean, what: string): boolean => {
    screen.print(`  ${holds ? '✓' : '✗'} ${what}`)
    return holds
  }
  return [
    check(free.steps === STEPS, 'without a guard the agent would still run'),
    check(held.mails === MAILS, `${MAILS} mails were sent, as many as a day has`),
    check(held.looks <= REPEATS, `the same look was made at most ${REPEATS} times`),
    check(
      remaining === CALLS - held.mails - held.looks,
      `${remaining} of ${CALLS} calls are left: the ${held.refusals.length} refused ones cost nothing`,
    ),
    check(held.text.startsWith('I stop.'), 'the agent stopped by itself, and said why'),
  ].every(Boolean)
}
