import { HaltError } from '@halt/core'
import { AggregatorRegistry, Counter, Registry, register as globalRegistry } from 'prom-client'
import { describe, expect, it } from 'vitest'

import { PrometheusTelemetry, type PrometheusTelemetryOptions } from '../src/index.ts'
import { drive, limiterOf, samples, view } from './traffic.ts'

const api = { name: 'api', limit: 3, window: 60 }
const ALLOWED = 'halt_checks_total{policy="api",algorithm="token-bucket",outcome="allowed",store="memory"}'
const COUNT = 'halt_check_duration_seconds_count{store="memory"}'

describe('a registry', () => {
  it('PrometheusTelemetry counts in the global registry by default', async () => {
    const counted = async (): Promise<number> => (await samples(globalRegistry)).get(ALLOWED) ?? 0
    const telemetry = new PrometheusTelemetry()
    // Other files of this process may have counted in it.
    const before = await counted()
    await limiterOf(api, telemetry).check(view())
    expect(await counted()).toBe(before + 1)
    globalRegistry.clear()
  })

  it('a registry takes several telemetries, which count together', async () => {
    const register = new Registry()
    const [one, other] = [new PrometheusTelemetry({ register }), new PrometheusTelemetry({ register })]
    await limiterOf(api, one).check(view())
    await limiterOf(api, other).check(view())
    const now = await samples(register)
    expect([now.get(ALLOWED), now.get(COUNT)]).toEqual([2, 2])
  })

  it('telemetries of other prefixes or registries count apart', async () => {
    const register = new Registry()
    await limiterOf(api, new PrometheusTelemetry({ register, prefix: 'a_' })).check(view())
    new PrometheusTelemetry({ register, prefix: 'b_' })
    new PrometheusTelemetry({ register: new Registry(), prefix: 'a_' })
    const now = await samples(register)
    expect(now.get(ALLOWED.replace('halt_', 'a_'))).toBe(1)
    expect([...now.keys()].filter(name => name.startsWith('b_checks'))).toEqual([])
    expect(now.get('b_penalties_total')).toBe(0)
  })

  it('the next telemetry registers the metrics again after a clear', async () => {
    const register = new Registry()
    const telemetry = new PrometheusTelemetry({ register })
    register.clear()
    expect((await samples(register)).size).toBe(0)
    new PrometheusTelemetry({ register })
    await limiterOf(api, telemetry).check(view())
    expect((await samples(register)).get(ALLOWED)).toBe(1)
  })

  it('a registry counts on from 0 after a reset', async () => {
    const register = new Registry()
    const limiter = limiterOf(api, new PrometheusTelemetry({ register }))
    for (let i = 0; i < 2; i++) await limiter.check(view())
    register.resetMetrics()
    const zero = await samples(register)
    expect([zero.get(ALLOWED), zero.get(COUNT)]).toEqual([0, 0])
    await limiter.check(view())
    const now = await samples(register)
    expect([now.get(ALLOWED), now.get(COUNT)]).toEqual([1, 1])
  })

  it('PrometheusTelemetry refuses a name that another metric has, and says what to do', () => {
    const register = new Registry()
    new Counter({ name: 'halt_checks_total', help: 'mine', registers: [register] })
    const attempt = (): unknown => new PrometheusTelemetry({ register })
    expect(attempt).toThrow(/^HALT_E_METRIC_TAKEN: .*halt_checks_total.*prefix/)
    expect(register.getMetricsAsArray()).toHaveLength(1)
    expect(() => new PrometheusTelemetry({ register, prefix: 'mine_' })).not.toThrow()
  })

  it('a registry prints the OpenMetrics format too', async () => {
    const register = new Registry()
    register.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as never)
    await drive(new PrometheusTelemetry({ register }))
    const text = await register.metrics()
    expect(text).toContain('# TYPE halt_checks counter')
    expect(text).toContain('halt_checks_total{policy="api"')
    expect(text.endsWith('# EOF\n')).toBe(true)
    new PrometheusTelemetry({ register })
    expect(await register.metrics()).toBe(text)
    register.clear()
    new PrometheusTelemetry({ register })
    expect(await register.metrics()).toBe(text)
  })

  it('a registry prints the help text and the default labels of a metric', async () => {
    const register = new Registry()
    register.setDefaultLabels({ app: 'shop' })
    await limiterOf(api, new PrometheusTelemetry({ register })).check(view())
    expect(await register.getSingleMetricAsString('halt_remaining')).toBe(
      [
        '# HELP halt_remaining Units left after the last check of any key.',
        '# TYPE halt_remaining gauge',
        'halt_remaining{policy="api",app="shop"} 2',
      ].join('\n'),
    )
  })

  it('the registry of a cluster adds up the counts of the workers, and shows the smallest remaining', async () => {
    const workers = await Promise.all(
      [1, 2].map(async checks => {
        const register = new Registry()
        const limiter = limiterOf(api, new PrometheusTelemetry({ register }))
        for (let i = 0; i < checks; i++) await limiter.check(view())
        return register.getMetricsAsJSON()
      }),
    )
    const all = await samples(AggregatorRegistry.aggregate(workers as never))
    expect([all.get(ALLOWED), all.get(COUNT), all.get('halt_remaining{policy="api"}')]).toEqual([3, 3, 1])
  })
})

describe('options', () => {
  it.each([
    [{ prefix: '9lives' }, 'prefix'],
    [{ prefix: '' }, 'prefix'],
    [{ prefix: 'a-b' }, 'prefix'],
    [{ buckets: [] }, 'buckets'],
    [{ buckets: [0.1, 0.1] }, 'buckets'],
    [{ buckets: [0, 1] }, 'buckets'],
    [{ buckets: [1, Number.POSITIVE_INFINITY] }, 'buckets'],
    [{ nearLimit: 1.1 }, 'nearLimit'],
    [{ nearLimit: Number.NaN }, 'nearLimit'],
    [{ maxPolicies: 0 }, 'maxPolicies'],
    [{ maxPolicies: 1.5 }, 'maxPolicies'],
    [{ register: {} as Registry }, 'register'],
    [{ register: null as unknown as Registry }, 'register'],
  ] satisfies [PrometheusTelemetryOptions, string][])('the options %j are refused', (options, field) => {
    const attempt = (): unknown => new PrometheusTelemetry({ register: new Registry(), ...options })
    expect(attempt).toThrow(HaltError)
    expect(attempt).toThrow(new RegExp(`^HALT_E_OPTION: ${field} is `))
  })

  it('the option buckets sets the buckets', async () => {
    const register = new Registry()
    const telemetry = new PrometheusTelemetry({ register, buckets: [0.5, 2] })
    await limiterOf(api, telemetry).check(view())
    const bounds = [...(await samples(register)).keys()].filter(name => name.includes('_bucket'))
    expect(bounds.map(name => /le="([^"]+)"/.exec(name)?.[1])).toEqual(['0.5', '2', '+Inf'])
  })
})

it('the stack of an options error begins at the line of the user', () => {
  expect(firstLine(() => new PrometheusTelemetry({ maxPolicies: 0 }))).toContain('registry.test.ts')
})

/** The first line of the stack of an error. */
function firstLine(call: () => unknown): string {
  try {
    call()
  } catch (error) {
    return (error as Error).stack?.split('\n')[1] ?? ''
  }
  return 'nothing was thrown'
}
