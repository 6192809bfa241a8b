import type { Target } from '../report.ts'
import type { QueueFigures } from './figures.ts'

/** The targets of Halt's queue. */
export function queueTargets(halt: QueueFigures): Target[] {
  const { ahead, used, storeCalls = Number.NaN, inversion, longestCall, lost, rush, bytes, delay } = halt
  return [
    {
      what: '4 processes: jobs that start before their time',
      rule: 'most',
      bound: 0,
      measured: ahead,
      unit: 'jobs',
    },
    { what: '4 processes: pace used', rule: 'least', bound: 99, measured: 100 * used, unit: '%' },
    {
      what: '4 processes: calls of the store a job',
      rule: 'most',
      bound: 1.05,
      measured: storeCalls,
      unit: 'calls',
    },
    {
      what: '4 processes: largest inversion, to the longest call',
      rule: 'most',
      bound: 1,
      measured: inversion / (longestCall ?? 0),
      unit: '×',
    },
    {
      what: 'a process is killed: jobs that the others lost',
      rule: 'most',
      bound: 0,
      measured: lost,
      unit: 'jobs',
    },
    {
      what: '40 callers of one bucket: at least',
      rule: 'least',
      bound: 3.9 * 0.98,
      measured: rush.seconds,
      unit: 's',
    },
    {
      what: '40 callers of one bucket: at most',
      rule: 'most',
      bound: 3.9 * 1.02,
      measured: rush.seconds,
      unit: 's',
    },
    {
      what: '40 callers of one bucket: calls of the store',
      rule: 'most',
      bound: 40,
      measured: rush.calls ?? Number.NaN,
      unit: 'calls',
    },
    { what: '10 000 callers in a process: each', rule: 'most', bound: 1000, measured: bytes, unit: 'bytes' },
    {
      what: '10 000 callers in a process: delay of the event loop',
      rule: 'most',
      bound: 15,
      measured: delay,
      unit: 'ms',
    },
  ]
}
