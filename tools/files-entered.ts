// Counts the own files that a call enters, by the coverage of V8.
import { Session } from 'node:inspector/promises'

/** A script of this process, and how often its functions were called. */
interface Covered {
  readonly url: string
  readonly functions: readonly {
    readonly functionName: string
    readonly ranges: readonly { readonly count: number }[]
  }[]
}

const OWN = /packages\/(?!conformance)([a-z-]+)\/src\/(.+)\.ts$/

/**
 * The files of Halt's packages that each of some equal calls enters, as `core/limiter/pipeline`. What only one of the calls enters is
 * left out, because something else of this process may run meanwhile.
 *
 * @param call makes the call that is measured, once per round
 */
export async function filesEntered(call: () => unknown, rounds = 5): Promise<string[]> {
  const session = new Session()
  session.connect()
  try {
    await session.post('Profiler.enable')
    await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false })
    let common: Set<string> | undefined
    for (let round = 0; round < rounds; round++) {
      await session.post('Profiler.takePreciseCoverage')
      await call()
      const { result } = (await session.post('Profiler.takePreciseCoverage')) as { result: Covered[] }
      const entered = new Set(result.flatMap(nameIfEntered))
      common = common === undefined ? entered : new Set([...common].filter(name => entered.has(name)))
    }
    return [...(common ?? [])].sort()
  } finally {
    await session.post('Profiler.stopPreciseCoverage')
    session.disconnect()
  }
}

function nameIfEntered({ url, functions }: Covered): string[] {
  const [, owner, file] = OWN.exec(url.replaceAll('\\', '/')) ?? []
  // Vitest reads each value that a module exports by a function without a name.
  const isEntered = functions.some(
    ({ functionName, ranges }) => functionName !== '' && ranges.some(({ count }) => count > 0),
  )
  return owner === undefined || !isEntered ? [] : [`${owner}/${file}`]
}
