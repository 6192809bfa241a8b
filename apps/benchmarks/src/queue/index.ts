import { runChild } from '../child.ts'
import { median } from '../cpu.ts'
import type { Effort } from '../memory.ts'
import { figure, type Section } from '../report.ts'
import { ServerWatch } from '../server-cpu.ts'
import { startServer } from '../server.ts'
import { queueNames, type QueueName, queues } from './contestants.ts'
import type { CrowdFigure, CrowdRun } from './crowd-run.ts'
import { killOne, measureFleet, PACE, PROCESSES, type QueueFigures } from './figures.ts'
import type { RushRun } from './rush-run.ts'
import { queueTargets } from './targets.ts'

const CALLERS = 40
const CROWD = 10_000

/** Compares queues that start jobs at a pace: their pace and order over processes, and the cost of those who wait. */
export async function queue({ quick, jobs = 2000 }: Effort): Promise<Section> {
  const own = quick ? 25 : jobs
  const rounds = quick ? 1 : 3
  const found = new Map<QueueName, QueueFigures>()
  for (const name of queueNames) {
    // A sixteenth for the peers, because their figures come out within seconds.
    const each = name === 'halt' ? own : Math.ceil(own / 16)
    found.set(name, await measure(name, each, Math.ceil(own / 32), rounds, quick ? 500 : CROWD))
  }
  return {
    name: 'queue',
    title: `Queues: ${PROCESSES} processes share ${PACE.limit} starts per second through Redis; callers that wait in one process`,
    head: [
      '',
      'way',
      'jobs before their time',
      'jobs above the pace in a window',
      'most in a second',
      'pace used',
      'calls of Redis a job',
      'largest inversion, ms',
      'jobs lost by others',
      `${CALLERS} callers, s`,
      'bytes a caller',
      'loop delay, ms',
    ],
    rows: queueNames.map(name => row(name, found.get(name)!)),
    targets: queueTargets(found.get('halt')!),
    notes: [
      `${PROCESSES} processes ask for ${own} jobs each (the peers for a sixteenth), one every 2 ms, at ${PACE.limit} starts per second, burst 1. Jobs before their time: ahead of a pace that begins with the first ask. Jobs above the pace in a window: in the worst one of any length; a process that gets no processor for 100 ms starts ten of its jobs together, late. Pace used: from the first start to the last. Largest inversion: a job started after another one that was asked for so much later. p-throttle and p-queue know one process only, so each process gets a quarter of the pace.`,
      `Jobs lost by others: one of ${PROCESSES} processes is killed, and the jobs of the other ones that then do not start within twice the time.`,
      `${CALLERS} callers of one bucket of 10 per second, burst 1, come at once: from the first start to the last. Queues that count in windows start ten of them together; all but p-throttle and p-queue through Redis. Halt's store decided ${found.get('halt')!.rush.calls} groups.`,
      `${figure(CROWD)} callers in one process, in memory. Bytes: the heap, per caller that waits. Loop delay: the longest while all of them come, a hundred in a turn, and start within two seconds; the least of ${rounds} processes, because the machine's other work delays a loop as well.`,
    ],
  }
}

async function measure(
  name: QueueName,
  jobs: number,
  killJobs: number,
  rounds: number,
  crowd: number,
): Promise<QueueFigures> {
  const server = await startServer()
  try {
    const fleet = await measureFleet(name, server.url, jobs)
    await clear(server.url)
    const lost = await killOne(name, server.url, killJobs)
    await clear(server.url)
    const place = queues[name].isShared ? server.url : ''
    const rush = await runChild<RushRun>('queue/rush-run.js', [name, String(CALLERS), place])
    const inCrowd = async (what: CrowdFigure): Promise<number> => {
      const run = await runChild<CrowdRun>('queue/crowd-run.js', [what, name, String(crowd)], ['--expose-gc'])
      return run.figure
    }
    const bytes: number[] = []
    const delays: number[] = []
    for (let round = 0; round < rounds; round++) {
      bytes.push(await inCrowd('bytes'))
      delays.push(await inCrowd('delay'))
    }
    return { ...fleet, lost, rush, bytes: median(bytes), delay: Math.min(...delays) }
  } finally {
    await server.stop()
  }
}

async function clear(url: string): Promise<void> {
  const watch = new ServerWatch(url)
  await watch.clear()
  watch.close()
}

function row(name: QueueName, figures: QueueFigures): string[] {
  const { ahead, above, most, used, calls, inversion, lost, rush, bytes, delay } = figures
  return [
    queues[name].name,
    queues[name].way,
    String(ahead),
    String(above),
    String(most),
    `${(100 * used).toFixed(1)} %`,
    queues[name].isShared ? figure(calls) : '–',
    figure(inversion),
    String(lost),
    rush.seconds.toFixed(2),
    figure(bytes),
    figure(delay),
  ]
}
