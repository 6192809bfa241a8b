import type { RateLimiterOptions } from '@halt/core'

import { type Answer, json, text, type Visit } from '../answer.ts'
import { Bucket } from './bucket.ts'
import { feedOf } from './feed.ts'
import { KeyMask } from './key-mask.ts'
import { Page } from './page.ts'
import { Recorder } from './recorder.ts'

/** Where the page is. Its files lie below, so that a relative address finds them. */
export const LIVE = '/live'

/** The live page: its files, its feed, and the bucket to play with. Who may see it is decided before. */
export class Live {
  /** For the `telemetry` of all limiters that are to be seen. */
  readonly recorder: Recorder = new Recorder()
  readonly #bucket: Bucket
  readonly #page = new Page()
  readonly #mask = new KeyMask()

  constructor(store: RateLimiterOptions['store']) {
    this.#bucket = new Bucket(store, this.recorder)
  }

  /** @param path below `/live` */
  async answer(visit: Visit, path: string): Promise<Answer> {
    // Relative addresses in the page need the slash at the end.
    if (path === '') return text(308, 'See /live/', { Location: `${LIVE}/` })
    if (path === '/take') return this.#take(visit)
    if (visit.method !== 'GET' && visit.method !== 'HEAD')
      return text(405, 'Only GET.', { Allow: 'GET, HEAD' })
    if (path === '/feed') {
      const now = Date.now()
      return json(200, feedOf(this.recorder.read(now), await this.#bucket.level(), this.#mask, now))
    }
    return this.#page.file(path === '/' ? 'page.html' : path.slice(1)) ?? text(404, 'Not found.')
  }

  // A header that other sites' pages cannot send without being asked: nobody drains the bucket through a victim's browser.
  async #take({ method, header }: Visit): Promise<Answer> {
    if (method !== 'POST') return text(405, 'Only POST.', { Allow: 'POST' })
    const units = Number(header('x-halt-take'))
    if (!(Number.isInteger(units) && units >= 1 && units <= 10))
      return text(400, 'Give x-halt-take: 1 to 10.')
    const { allowed, remaining, retryAfter } = await this.#bucket.take(units)
    return json(200, { allowed, remaining, retryAfter })
  }
}
