import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { type ProcessScript, processScript } from '../../../tools/process-script.ts'
import { hasPrometheus, promtool } from './prometheus-server.ts'
import { RULES } from './queries.ts'

// By minutes: what fires then. The script loses one call at 2 and at 4, and the store is away from 10 to 40.
const FIRING: readonly (readonly [minutes: number, alerts: readonly string[]])[] = [
  ...[3, 5, 6, 7, 8, 9, 11].map(minutes => [minutes, []] as const),
  ...[17, 25, 39].map(minutes => [minutes, ['HaltDegraded', 'HaltStoreErrors']] as const),
  ...[43, 50, 59].map(minutes => [minutes, []] as const),
]

describe.skipIf(!hasPrometheus)('a simulated outage', () => {
  let script: ProcessScript
  const folder = mkdtempSync(join(tmpdir(), 'halt-alerts-'))
  beforeAll(async () => {
    script = await processScript(new URL('outage-series.ts', import.meta.url))
  })
  afterAll(async () => {
    await script.remove()
    rmSync(folder, { recursive: true, force: true })
  })

  it.each([
    ['refused', 'unavailable'],
    ['hanging', 'timeout'],
  ])(
    'an outage of half an hour (%s) fires both alerts until its end, and two lost calls fire none',
    async (kind, failure) => {
      const { stdout } = await promisify(execFile)(process.execPath, [script.path, kind], { maxBuffer: 10e6 })
      const series = JSON.parse(stdout) as [name: string, values: (number | null)[]][]
      const test = {
        interval: '30s',
        // Prometheus has no sample until a series begins.
        input_series: series.map(([name, values]) => ({
          series: name,
          values: ['_', ...values.map(value => value ?? '_')].join(' '),
        })),
        promql_expr_test: FIRING.map(([minutes, alerts]) => ({
          expr: `count by (alertname) (ALERTS{alertstate="firing", failure=~"${failure}|"})`,
          eval_time: `${minutes}m`,
          exp_samples: alerts.map(name => ({ labels: `{alertname="${name}"}`, value: 1 })),
        })),
      }
      const file = join(folder, `${kind}.yml`)
      // JSON is YAML.
      writeFileSync(file, JSON.stringify({ rule_files: [RULES], evaluation_interval: '30s', tests: [test] }))
      expect(await promtool(['test', 'rules', file])).toContain('SUCCESS')
    },
  )
})
