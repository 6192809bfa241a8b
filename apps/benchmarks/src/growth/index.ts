import { runChild } from '../child.ts'
import { median } from '../cpu.ts'
import type { GrowthRun } from '../growth-run.ts'
import type { Effort } from '../memory.ts'
import { figure, type Section, type Target } from '../report.ts'
import { type Curve, curves, type Line } from './curves.ts'
import { fit, type Fit, type Point } from './fit.ts'
import { drawPlot } from './plot.ts'

/** The sizes that take minutes to fill are measured once. */
const ONCE = 10_000_000

/** Measures how the CPU time of a check grows with the size of one thing, with a process per size and round, in turns. */
export async function growth({ quick }: Effort): Promise<Section> {
  const rounds = quick ? 1 : 3
  const [most, budget] = quick ? [10_000, 1] : [Number.POSITIVE_INFINITY, 250]
  const runs = new Map<string, number[]>()
  for (let round = 0; round < rounds; round++) {
    for (const { line, size } of each(most)) {
      if (size >= ONCE && round > 0) continue
      const key = `${line.name} ${size}`
      const args = [line.name, String(size), String(budget)]
      const { nanos } = await runChild<GrowthRun>('growth-run.js', args, ['--max-old-space-size=16000'])
      runs.set(key, [...(runs.get(key) ?? []), nanos])
    }
  }
  const pointsOf = (curve: Curve, { name }: Line): Point[] =>
    sizesOf(curve, most).map(size => ({ size, nanos: median(runs.get(`${name} ${size}`) ?? []) }))
  const measured = curves.flatMap(curve => {
    const yardstick = curve.lines.find(line => line.isYardstick === true)
    const bare = new Map(yardstick && pointsOf(curve, yardstick).map(({ size, nanos }) => [size, nanos]))
    const xOf = (size: number): number => bare.get(size) ?? size
    return curve.lines.map(line => {
      const points = pointsOf(curve, line)
      return { curve, line, points, found: line === yardstick ? undefined : fit(points, xOf) }
    })
  })
  return {
    name: 'growth',
    title: 'Growth: CPU ns a check by the size of one thing',
    head: ['', 'sizes', 'CPU ns', 'slope'],
    rows: measured.map(({ curve, line, points, found }) => [
      line.label,
      points.map(({ size }) => size.toLocaleString('en')).join(' · '),
      points.map(({ nanos }) => figure(nanos)).join(' · '),
      found === undefined ? '' : slopeOf(found, curve),
    ]),
    targets: measured.flatMap(({ curve, line, found }) =>
      found === undefined ? [] : [targetOf(curve, line, found)],
    ),
    plots: curves.map(curve => ({
      name: curve.name,
      text: curve.title,
      svg: drawPlot({
        ...curve,
        lines: curve.lines.map(line => ({ label: line.label, points: pointsOf(curve, line) })),
      }),
    })),
    notes: [
      `Median of ${rounds} processes per size, ten million keys once; at least ${budget} CPU ms each, after twice as many to warm up. Every request must be admitted.`,
      'Live keys: each check has the next address, as a new string. The bare loop shows the cost of a Map and of the caches of the processor, so the line is straight if a check grows as it does.',
      'Sub-windows: all have counted, and one of ten checks starts another. Lists: no entry exempts the request, so all are compared; the trusted proxy is in the last CIDR, and the client in none.',
      'Guards: Express middlewares on objects of Node, which are made anew for each request.',
    ],
  }
}

function sizesOf({ sizes }: Curve, most: number): number[] {
  return sizes.filter(size => size <= most)
}

function each(most: number): { line: Line; size: number }[] {
  return curves.flatMap(curve =>
    curve.lines.flatMap(line => sizesOf(curve, most).map(size => ({ line, size }))),
  )
}

/** A point may be this many times above or below a straight line. */
const STRAIGHT = 1.25

function slopeOf({ slope, off, isFlat }: Fit, { per }: Curve): string {
  if (off > STRAIGHT) return 'neither flat nor straight'
  if (per === 'yardstick') return `${figure(slope)} × the growth of the bare loop`
  return isFlat ? 'flat' : `${figure(slope)} ns per ${per}`
}

function targetOf({ per }: Curve, { label }: Line, { off }: Fit): Target {
  const line = per === 'yardstick' ? 'a straight line over the bare loop' : 'a straight line'
  return { what: `${label}: distance from ${line}`, rule: 'most', bound: STRAIGHT, measured: off, unit: '×' }
}
