import { lastValueFrom, of, throwError } from 'rxjs'
import { describe, expect, it } from 'vitest'

import { CallGuard } from '../../src/guard/call-guard.ts'
import { HaltInterceptor } from '../../src/index.ts'
import { contextOf, runtimeOf } from '../contexts.ts'

describe('the end of a call without a response', () => {
  async function ended(handled: Parameters<typeof lastValueFrom>[0]): Promise<unknown[]> {
    const seen: unknown[] = []
    const runtime = runtimeOf({ chargeWhen: (result: unknown) => void seen.push(result) })
    const context = contextOf('rpc', [{}, {}])
    await new CallGuard(runtime).enter(context)
    const result = new HaltInterceptor().intercept(context, { handle: () => handled })
    await lastValueFrom(result).catch(() => undefined)
    return seen
  }

  it('the end of a call gives chargeWhen the value, or the status of the thrown error', async () => {
    const error = new Error('broken')
    const refused = Object.assign(new Error('no'), { getStatus: () => 401 })
    expect(await ended(of(1))).toEqual([{ statusCode: 200, value: 1 }])
    expect(await ended(throwError(() => error))).toEqual([{ statusCode: 500, error }])
    expect(await ended(throwError(() => refused))).toEqual([{ statusCode: 401, error: refused }])
  })
})
