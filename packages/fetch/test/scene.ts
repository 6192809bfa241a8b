import { RateLimiter, type RateLimiterOptions, type RatePolicy } from '@halt/core'
import { ManualClock } from '@halt/core/testing'
import { InMemoryStore } from '@halt/store-memory'

/** Makes a request of one client for `/ask`. */
export function request(headers: Record<string, string> = {}, init: RequestInit = {}): Request {
  return new Request('https://api.example/ask', { ...init, headers })
}

/** Makes a policy whose numbers are easy to predict: a fixed window of a minute. */
export function limitOf(limit: number, more: Partial<RatePolicy> = {}): RatePolicy {
  return { name: 'api', limit, window: 60, algorithm: 'fixed-window', ...more }
}

/** Makes a limiter on a store of its own, whose clock stands still, and collects the codes of its warnings. */
export function makeLimiter(
  policy: RateLimiterOptions<Request>['policy'],
  more: Partial<RateLimiterOptions<Request>> = {},
): { limiter: RateLimiter<Request>; warned: string[] } {
  const warned: string[] = []
  const limiter = new RateLimiter<Request>({
    store: new InMemoryStore({ clock: new ManualClock().now }),
    policy,
    warn: ({ code }) => void warned.push(code),
    ...more,
  })
  return { limiter, warned }
}

/** The remaining units that a response tells. */
export function leftIn(response: Response): string | null {
  return response.headers.get('ratelimit-remaining')
}
