import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

import { afterAll, beforeAll, describe, inject } from 'vitest'

import { isFull } from '../../../../../tools/full.ts'
import { type Bundle, bundleConnection } from '../../connection/bundle.ts'
import { it, portOf, type Scene, until } from '../../connection/scene.ts'

// A connection that is not let go keeps its process for ever. ioredis may take two seconds of its own to disconnect.
const ENDS_MS = 10_000
const LIBRARIES = ['ioredis', 'ioredis5', 'redis', 'redis5']
const CHILD = fileURLToPath(new URL('exit-child.mjs', import.meta.url))

let bundle: Bundle
beforeAll(async () => {
  bundle = await bundleConnection(LIBRARIES)
})
afterAll(() => bundle.remove())

/** A child process that plays one scene and should then end by itself. */
class Child {
  readonly #process: ReturnType<typeof spawn>
  #output = ''

  constructor(scene: Scene, library: string, kind: string, port: number, what: string) {
    const child = spawn(process.execPath, [CHILD, bundle.url, library, kind, String(port), what])
    const read = (chunk: string): void => {
      this.#output += chunk
    }
    child.stdout.setEncoding('utf8').on('data', read)
    child.stderr.setEncoding('utf8').on('data', read)
    scene.defer(() => child.kill('SIGKILL'))
    this.#process = child
  }

  async says(text: string): Promise<void> {
    await until(`"${text}"`, () => this.#output.includes(text))
  }

  goOn(): void {
    this.#process.stdin?.end('go\n')
  }

  /** Waits until it has ended. Resolves to the milliseconds that it lived after its scene. */
  async ends(): Promise<number> {
    await until(`the end of ${this.#output}`, () => this.#process.exitCode !== null)
    await until('its last word', () => /^exit /m.test(this.#output))
    const [, code, ms] = /^exit (\d+) (\d+)/m.exec(this.#output) ?? []
    if (code !== '0') throw new Error(this.#output)
    return Number(ms)
  }
}

/** The kinds of clients. In the short form the old versions of the libraries are tried on a cluster, and the new ones on one server. */
const kindsOf = (library: string): string[] => {
  if (isFull) return ['single', 'cluster']
  return library.endsWith('5') ? ['cluster'] : ['single']
}
/** In the short form the old versions of the libraries are only tried where a connection is open. */
const isSpared = (library: string): boolean => library.endsWith('5') && !isFull
/** What a server does that never lets a client connect. In the short form it is gone for one library, and hangs for the other. */
const signalsOf = (library: string): readonly ('SIGSTOP' | 'SIGKILL')[] => {
  if (isFull) return ['SIGSTOP', 'SIGKILL']
  return library === 'redis' ? ['SIGSTOP'] : ['SIGKILL']
}
const portFor = (kind: string): number =>
  kind === 'cluster' ? inject('clusterNodes')[0]!.port : portOf(inject('redisUrl'))

describe.concurrent.each(LIBRARIES)('a process with %s', library => {
  for (const kind of kindsOf(library)) {
    it(`a process ends although a connection is open: ${kind}`, async ({ scene, expect }) => {
      const child = new Child(scene, library, kind, portFor(kind), 'unconnected')
      await child.says('ready true\nPONG')
      expect(await child.ends()).toBeLessThan(ENDS_MS)
    })

    if (isSpared(library)) continue
    it(`a process ends although a connection was lost: ${kind}`, async ({ scene, expect }) => {
      const servers = kind === 'cluster' ? (await scene.cluster()).servers : [await scene.server()]
      const child = new Child(scene, library, kind, servers[0]!.port, 'lost')
      await child.says('ready true')
      for (const server of servers) await server.stop()
      child.goOn()
      await child.says('lost')
      expect(await child.ends()).toBeLessThan(ENDS_MS)
    })

    it(`a process ends when its client ends: ${kind}`, async ({ scene, expect }) => {
      const child = new Child(scene, library, kind, portFor(kind), 'quit')
      await child.says('ready true')
      expect(await child.ends()).toBeLessThan(ENDS_MS)
    })

    it(`a process ends although attempts to connect go on: ${kind}`, async ({ scene, expect }) => {
      const server = await scene.server()
      await server.stop()
      const child = new Child(scene, library, kind, server.port, 'unconnected')
      await child.says('ready false')
      expect(await child.ends()).toBeLessThan(ENDS_MS)
    })

    it(`a process stays alive during ready() although the client never connects: ${kind}`, async ({
      scene,
      expect,
    }) => {
      const well = new Child(scene, library, kind, portFor(kind), 'inspect')
      await well.says('found nothing')
      expect(await well.ends()).toBeLessThan(ENDS_MS)
      const server = await scene.server()
      for (const signal of signalsOf(library)) {
        server.process.kill(signal)
        const child = new Child(scene, library, kind, server.port, 'inspect')
        await child.says('found HALT_W_STORE_UNAVAILABLE')
        expect(await child.ends()).toBeLessThan(ENDS_MS)
      }
    })
  }

  if (isSpared(library)) return
  it('a process ends although its server hangs', async ({ scene, expect }) => {
    const server = await scene.server()
    const child = new Child(scene, library, 'single', server.port, 'hung')
    await child.says('ready true')
    server.process.kill('SIGSTOP')
    child.goOn()
    expect(await child.ends()).toBeLessThan(ENDS_MS)
  })

  // An ioredis client without a listener does not end the process.
  if (library.startsWith('ioredis')) return
  it('a process stays alive when its server goes and the client has no error listener', async ({
    scene,
    expect,
  }) => {
    const server = await scene.server()
    const child = new Child(scene, library, 'single', server.port, 'readme')
    await child.says('ready true')
    await server.stop()
    child.goOn()
    await child.says('HALT_W_REDIS_ERROR_LISTENER')
    await child.says('alive')
    expect(await child.ends()).toBeLessThan(ENDS_MS)
  })
})
