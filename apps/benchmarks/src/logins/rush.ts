import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

import express from 'express'

import type { LoginContestant, Place } from './contestant.ts'

/** The results of a rush of logins. */
interface RushResult {
  /** Attempts whose password was checked. */
  readonly admitted: number
  readonly refused: number
}

/** An app with a guarded login. */
export interface RushedApp {
  /** Sends a number of logins at once, with a good or a bad password. */
  rush(count: number, password: 'good' | 'bad'): Promise<RushResult>
  close(): Promise<void>
}

/** The longest time of a password check, because a contestant may admit the last attempts only when the first have ended. */
const PATIENCE = 5000

/** A gate that opens when it has counted a number of attempts. */
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
 * Serves a guarded login. No password check ends before every attempt of a rush was admitted or refused. This is the worst
 * case of real logins, which take as long as a hash, and it is the same in every run.
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
      // Waits a moment for what a contestant does after the response.
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
