import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

import express from 'express'

import type { LoginContestant, Place } from './contestant.ts'

/** What came of logins that all came at once. */
interface RushResult {
  /** Attempts whose password was looked at. */
  readonly admitted: number
  readonly refused: number
}

/** An app with a guarded login, that can be rushed. */
export interface RushedApp {
  /** Sends so many logins at once, with a good or a bad password. */
  rush(count: number, password: 'good' | 'bad'): Promise<RushResult>
  close(): Promise<void>
}

/** The longest that a password is looked at: a contestant may let the last ones in only when the first have ended. */
const PATIENCE = 5000

/** Opens when so many were counted. */
class Gate {
  readonly opened: Promise<void>
  #open: () => void = () => {}
  #missing: number

  constructor(missing: number) {
    this.#missing = missing
    this.opened = new Promise(resolve => (this.#open = resolve))
  }

  count(): void {
    if (--this.#missing === 0) this.#open()
  }
}

/**
 * Serves a guarded login. No password is found good or bad before all attempts of a rush were let in or refused: the
 * worst case of real logins, which take as long as a hash, and the same one in every run.
 */
export async function openRush({ guard }: LoginContestant, place: Place): Promise<RushedApp> {
  let admitted = 0
  let gate = new Gate(0)
  const { handlers, ready, close } = guard(place, async (req, res) => {
    admitted++
    gate.count()
    await Promise.race([gate.opened, sleep(PATIENCE, undefined, { ref: false })])
    res.status(req.get('x-password') === 'good' ? 200 : 401).end()
  })
  await ready()
  const server = express()
    .post('/login', ...handlers)
    .listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/login`

  async function attempt(password: string): Promise<number> {
    const { status } = await fetch(url, { method: 'POST', headers: { 'X-Password': password } })
    if (status !== 200 && status !== 401) gate.count()
    return status
  }

  return {
    async rush(count, password) {
      gate = new Gate(count)
      admitted = 0
      const statuses = await Promise.all(Array.from({ length: count }, () => attempt(password)))
      // What a contestant does when a response has ended is done a moment later.
      await sleep(100)
      return { admitted, refused: statuses.filter(status => status === 429).length }
    },
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
      await close()
    },
  }
}
