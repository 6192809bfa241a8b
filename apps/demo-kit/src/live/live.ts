import type { RateLimiterOptions } from '@halt/core'

import { type Answer, json, text, type Visit } from '../answer.ts'
import { Bucket } from './bucket.ts'
import { feedOf } from './feed.ts'
import { KeyMask } from './key-mask.ts'
import { Page } from './page.ts'
import { Recorder } from './recorder.ts'

/** The path of the page. Its files are below it, so that relative addresses find them. */
export const LIVE = '/live'

/** The live page: its files, its feed, and a bucket to drain. The caller checks the token. */
export class Live {
  /** The `telemetry` for all limiters that the page should show. */
  readonly recorder: Recorder = new Recorder()
  readonly #bucket: Bucket
  readonly #page = new Page()
  readonly #mask = new KeyMask()

  constructor(store: RateLimiterOptions['store']) {
    this.#bucket = new Bucket(store, this.recorder)
  }

  /** @param path below `/live` */
  async answer(visit: Visit, path: string): Promise<Answer> {
    // Relative addresses in the page need the slash at the end of the path.
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

  // Pages of other sites cannot send this header without a preflight, so they cannot drain the bucket through a visitor.
  async #take({ method, header }: Visit): Promise<Answer> {
    if (method !== 'POST') return text(405, 'Only POST.', { Allow: 'POST' })
    const units = Number(header('x-halt-take'))
    if (!(Number.isInteger(units) && units >= 1 && units <= 10))
      return text(400, 'Give x-halt-take: 1 to 10.')
    const { allowed, remaining, retryAfter } = await this.#bucket.take(units)
    return json(200, { allowed, remaining, retryAfter })
  }
}
