// The runbook, played from its own text: three processes of an application on a real Redis, a company whose month is used up at nine in
// the evening, and an operator who types the commands of the page. What the page shows behind `# →` must be answered.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, inject, it } from 'vitest'

import { aMinuteAgo } from '../../../../tools/a-minute-ago.ts'
import { unique } from '../../../../tools/unique.ts'
import { halt, type HaltRun } from '../halt.ts'
import { type AppProcesses, startProcesses } from './app-processes.ts'

const page = readFileSync(new URL('../../../../docs/runbook.md', import.meta.url), 'utf8')

// A bucket of the free plan may have been used and filled again since the month began. So the counters do not tell the plan of a company.
const anHourAgo = new Date(aMinuteAgo().getTime() - 3_600_000)

/** The limits of the application, which its processes and the command line read. */
const LIMITS = `
const hour = { window: '1h', keyStrategy: 'user', counter: 'plan' }
const month = { period: 'monthly', anchor: new Date('${anHourAgo.toISOString()}'), keyExtractor: request => request.company }
export const plans = {
  free: [{ name: 'free', limit: 10, ...hour }],
  pro: [{ name: 'pro', limit: 500, ...hour }, { name: 'pro_month', limit: 40, ...month }],
}
export const settings = { prefix: '${unique()}:' }
`

// Beside tsx, by which Node 20 reads TypeScript.
const cwd = mkdtempSync(join(import.meta.dirname, '.runbook-'))
let app: AppProcesses

beforeAll(async () => {
  // The command reads TypeScript, and Node 20 does not.
  const file = join(cwd, 'limits.mjs')
  writeFileSync(file, LIMITS)
  writeFileSync(join(cwd, 'limits.ts'), "export * from './limits.mjs'\n")
  const args = [inject('redisUrl'), pathToFileURL(file).href]
  app = await startProcesses(new URL('runbook-app.ts', import.meta.url), 3, args)
})
afterAll(async () => {
  await app.stop()
  rmSync(cwd, { recursive: true })
})

/** One request of a user to a process. */
async function ask(
  user: string,
  process: number,
): Promise<{ status: number; message?: string; reason?: string }> {
  const response = await fetch(`http://127.0.0.1:${app.ports[process % app.ports.length]}/`, {
    headers: { 'x-user': user },
  })
  return { status: response.status, ...((await response.json()) as object) }
}

/** Waits until every process answers a user so. Control reaches all within a second and a half. */
async function until(user: string, expected: object): Promise<void> {
  for (const process of app.ports.keys())
    await expect.poll(() => ask(user, process), { interval: 200, timeout: 60_000 }).toMatchObject(expected)
}

/** A command of the page, and the lines that it shows. */
interface Step {
  readonly args: readonly string[]
  readonly shown: readonly string[]
}

/** The commands of a chapter of the page. */
function stepsOf(chapter: string): readonly Step[] {
  const [, text = ''] = page.split(`## ${chapter}\n`)
  const [own = ''] = text.split('\n## ')
  const lines = [...own.matchAll(/```sh\n([^]*?)```/g)].flatMap(([, block = '']) => block.trim().split('\n'))
  const steps: { args: string[]; shown: string[] }[] = []
  for (const line of lines) {
    const [, shown] = /^# → (.*)$/.exec(line) ?? []
    if (shown !== undefined) steps.at(-1)?.shown.push(shown)
    const [, words = ''] = /^npx @halt\/cli (.*?)(?: +# .*)?$/.exec(line) ?? []
    if (words !== '')
      steps.push({
        args: Array.from(words.matchAll(/"([^"]*)"|(\S+)/g), ([, quoted, bare]) => quoted ?? bare ?? ''),
        shown: [],
      })
  }
  return steps
}

/** A line of the page as a pattern: `…` stands for any text. */
function patternOf(shown: string): RegExp {
  const parts = shown.split('…').map(part => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`))
  return new RegExp(`^${parts.join('.*')}.*$`)
}

/** Types a command of the page until it answers what the page shows, in this order. */
async function type({ args, shown }: Step): Promise<HaltRun> {
  const env = { HALT_REDIS_URL: inject('redisUrl') }
  let run = await halt(args, { cwd, env })
  const isAct = !['find', 'history', 'top', 'entries'].includes(args[0] ?? '')
  const missing = (): readonly string[] => {
    const lines = run.out.split('\n')
    return shown.filter(line => {
      const at = lines.findIndex(each => patternOf(line).test(each))
      lines.splice(0, at + 1)
      return at < 0
    })
  }
  // Processes tell what they have counted a moment later. An act is typed once.
  for (let i = 0; i < 20 && missing().length > 0 && !isAct; i++) run = await halt(args, { cwd, env })
  expect([args.join(' '), missing(), run.err]).toEqual([args.join(' '), [], ''])
  return run
}

it('the runbook helps a company whose month is used up, and every command answers what the page shows', async () => {
  const steps = stepsOf('One customer')
  expect(steps.map(({ args: [name] }) => name)).toEqual([
    'find',
    'find',
    'grant',
    'ungrant',
    'block',
    'history',
    'grant',
    'grant',
    'override',
  ])
  const [which, who, grant, ungrant, block, history] = steps as [Step, Step, Step, Step, Step, Step]

  for (let i = 0; i < 32; i++) expect((await ask('ben', i)).status).toBe(200)
  for (let i = 0; i < 8; i++) expect((await ask('ann', i)).status).toBe(200)
  expect(await ask('ann', 0)).toMatchObject({
    status: 429,
    reason: 'quota-exceeded',
    message: expect.stringMatching(/^The month's calls are used up\. More are allowed from /),
  })
  await until('ann', { status: 429 })

  expect((await type(which)).code).toBe(1)
  expect((await type(who)).code).toBe(1)
  expect((await type(grant)).code).toBe(0)
  await until('ann', { status: 200 })
  // The three requests count, and what is used stays used.
  const taken = await type(ungrant)
  expect([taken.code, taken.out]).toEqual([0, expect.stringContaining('43 are used, as before.')])
  expect((await type(block)).code).toBe(0)
  await until('ben', {
    status: 429,
    reason: 'blocked',
    message: expect.stringContaining('This client is blocked.'),
  })
  await until('ann', { status: 200 })
  await type(history)
  for (const way of steps.slice(6)) expect([way.args, (await type(way)).code]).toEqual([way.args, 0])
})

it('the other commands of the runbook run as they stand', async () => {
  for (const step of stepsOf('An abuser'))
    expect([step.args, (await type(step)).code]).toEqual([step.args, 0])
  await until('scraper', { status: 429, reason: 'blocked' })
})
