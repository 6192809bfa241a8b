import { foundOf } from '../found.ts'
import type { Effort } from '../memory.ts'
import { figure, type Section } from '../report.ts'
import { CLIENTS, contestantsOf, LIMITERS, type SceneName } from '../scenes.ts'
import { CONNECTIONS } from './client.ts'
import { type Counts, measureCounts } from './counts.ts'
import { type CpuFound, measureCpu } from './cpu.ts'
import { inprocessTargets } from './targets.ts'

/** Measures what limiting adds to a request between Node's parser and its answer, without a kernel. */
export async function inprocess({ quick }: Effort): Promise<Section> {
  const counts = await measureCounts()
  const cpu = await measureCpu(quick)
  const frameworks = Object.keys(LIMITERS)
  const late = (scene: SceneName): string => figure(foundOf(cpu.added, 'express', 'late next', scene))
  return {
    name: 'http-inprocess',
    title: 'HTTP in one process: what limiting adds to a request of the bare app',
    head: [
      '',
      'bare app, µs',
      'added, at once',
      'added, awaits',
      'inline-cache misses',
      'bytes',
      'throughput by header, × bare',
      'added, denied',
    ],
    rows: frameworks.flatMap(framework => rowsOf(framework, cpu, counts)),
    targets: inprocessTargets(cpu, counts),
    notes: [
      `Node's own parser and server over ${CONNECTIONS} sockets in memory, keep-alive, one request on each in a round. CPU time of the whole process in a round. A process counts by the round that nine tenths of its rounds exceed, so no garbage is collected in it; an app by the lower quartile of its processes, which run in turns with the bare app between them.`,
      'At once: the handler answers in the call of the framework. Awaits: it awaits a resolved promise first, and so continues at the same point as the code behind a body parser, after Node has parsed the end of the request. Nest awaits each handler.',
      `Late next: an app that only calls \`next\`, in a microtask. Where the handler answers at once, this app and each peer that calls \`next\` asynchronously are spared some of the bare app's own work; where it awaits, the bare app is spared it too. Late next added ${late('at once')} and ${late('awaits')} µs.`,
      `By header: a key from a header, ${CLIENTS.toLocaleString('en')} clients at random; the handler answers at once.`,
      'Denied: every request is refused. The bare app, which answers with 200, is subtracted here too: Express spends more on that answer than on a refusal.',
      `Inline-cache misses: those of a request that V8 logs (--log-ic) in a steady state, less those of the bare app. ${said(frameworks, counts)}`,
      `Bytes: those that a request allocates, less those of the bare app. ${frameworks.map(framework => `A bare ${framework} request allocates ${figure(foundOf(counts.bytesOfBare, framework, 'bare', 'at once'))}`).join('. ')}. One limiter.check of a hot address allocates ${figure(counts.bytesOfCheck)}.`,
    ],
  }
}

function rowsOf(framework: string, cpu: CpuFound, counts: Counts): string[][] {
  const bare = ['at once', 'awaits'].map(scene => figure(foundOf(cpu.bare, framework, 'bare', scene)))
  return contestantsOf(framework, 'at once').map(limiter => {
    const denied = foundOf(cpu.added, framework, limiter, 'denied')
    const share = foundOf(cpu.share, framework, limiter, 'header')
    return [
      `${framework}: ${limiter}`,
      bare.join(', '),
      figure(foundOf(cpu.added, framework, limiter, 'at once')),
      figure(foundOf(cpu.added, framework, limiter, 'awaits')),
      String(foundOf(counts.missesAdded, framework, limiter, 'at once')),
      figure(foundOf(counts.bytesAdded, framework, limiter, 'at once')),
      Number.isNaN(share) ? '–' : `${share.toFixed(2)} ×`,
      Number.isNaN(denied) ? '–' : figure(denied),
    ]
  })
}

/** A sentence for each framework whose requests miss: the misses of the bare app, and the properties that Halt misses. */
function said(frameworks: readonly string[], { missesOfBare, missedBy }: Counts): string {
  return frameworks
    .map(framework => {
      const bare = foundOf(missesOfBare, framework, 'bare', 'at once')
      const names = missedBy.get(`${framework} halt at once`) ?? []
      const halt = names.length === 0 ? 'Halt adds none' : `Halt adds ${names.join(', ')}`
      return `A bare ${framework} request makes ${bare}; ${halt}.`
    })
    .join(' ')
}
