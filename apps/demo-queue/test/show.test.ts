import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

import { Control } from '@halt/control'
import { RateLimiter } from '@halt/core'
import { opened, openStore } from '@halt/demo-kit'
import { Screen } from '@halt/demo-kit/screen'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { type ProcessScript, processScript } from '../../../tools/process-script.ts'
import { isFull } from '../../../tools/full.ts'
import { startRedis } from '../../../tools/servers.ts'
import { CALLS, policiesOf, STORE_TIMEOUT } from '../src/calls.ts'
import { localCrew, processCrew } from '../src/crew.ts'
import type { Show } from '../src/perform.ts'
import { aDeploy, aWorkerIsLost, type Scene, theServerIsLost } from '../src/scenes.ts'
import { show } from '../src/show.ts'

// The other scenes cost seconds of processor time in processes, and are played in one.
const SCENES = isFull ? undefined : [aWorkerIsLost, aDeploy, theServerIsLost]
const JOB = { calls: 3, askEvery: 5 }
let script: ProcessScript
beforeAll(async () => {
  script = await processScript(new URL('../src/worker-process.ts', import.meta.url))
})
afterAll(() => script.remove())

/** Runs the show. Returns what it printed. */
async function perform(
  url?: string,
  loseServer?: () => Promise<void>,
  scenes?: readonly Scene[],
): Promise<{ ok: boolean; text: string }> {
  let text = ''
  const options: Show = {
    screen: new Screen({ write: (more: string) => void (text += more) }),
    workers: 3,
    job: JOB,
    inProcesses: url !== undefined,
    loseServer,
    // On a busy machine a process may get no processor between the instant of its ask and the ask.
    tolerance: url === undefined ? 100 : 5_000,
    open(job) {
      const prefix = `halt:demo:${randomUUID()}:`
      const { store, close } = openStore({ url, prefix })
      const control = new Control({ store })
      const policy = policiesOf(job)
      const limiter = new RateLimiter({ store, policy, control, storeTimeout: STORE_TIMEOUT })
      const crew =
        url === undefined ? localCrew(3, limiter) : processCrew(3, { url, prefix, script: script.path })
      return { crew, limiter, control, close: async () => (control.close(), await close()) }
    },
  }
  return { ok: await show(options, scenes), text }
}

describe('the show', () => {
  it('the workers of one process share a line, and one of them leaves it', async () => {
    const { ok, text } = await perform()
    expect(ok, text).toBe(true)
    expect(text).not.toContain('✗')
    // Nobody deploys a process that has one worker only, and there is no server to lose.
    expect(text).not.toMatch(/A deploy|is killed/)
    expect(text).toContain('3 started, 0 wait')
    expect(text).toMatch(/10 per second and 60 per minute[^]*✓ the last 3 calls started a second apart/)
    expect(text).toContain('has ended')
    // The limits, each below the instant at which it was set.
    expect(text).toMatch(/\nlimit {5}.* 5\/s\n {2}✓ all 18 calls started/)
  })

  it('processes share a line through Redis while one is killed, all are replaced, and Redis is lost', async () => {
    let server = await startRedis()
    const { url, port } = server
    try {
      const { ok, text } = await perform(
        url,
        async () => {
          await server.stop()
          await sleep(500)
          server = await startRedis({ port })
        },
        SCENES,
      )
      expect(ok, text).toBe(true)
      expect(text).toContain('worker 3 is killed')
      expect(text).toContain('has ended')
      expect(text).toContain('✓ the old workers ended by themselves')
      expect(text).toMatch(/Redis is killed[^]*✓ the line is empty/)
    } finally {
      await server.stop()
    }
  })

  it('the show fails if a limit is not kept', async () => {
    let text = ''
    const { store, close } = openStore({})
    await opened(store)
    const ok = await show({
      screen: new Screen({ write: (more: string) => void (text += more) }),
      workers: 3,
      job: { calls: 10, askEvery: 0 },
      inProcesses: false,
      open() {
        const limiter = new RateLimiter({ store, policy: { ...CALLS, limit: 1000, burst: 1000 } })
        const control = new Control({ store })
        return {
          crew: localCrew(3, limiter),
          limiter,
          control,
          close: async () => (control.close(), await close()),
        }
      },
    })
    expect(ok).toBe(false)
    // Fewer than 29 on a busy machine, which starts some of them late.
    expect(text).toMatch(/✗ \d+ calls started before their time/)
  })
})
