// A server that several processes share, and whose documents a test can lose, put back, hang and refuse.
import { vi } from 'vitest'

import { type HaltWarning, type Policy, RateLimiter } from '@halt/core'
import { Control } from '../src/index.ts'
import { NEVER_WRITTEN, type Store, versionAfter, type VersionedText } from '@halt/core/store'
import { ReferenceStore } from '@halt/core/testing'
import { by, START } from '../../core/test/world.ts'

const perUser: Policy = { name: 'p', limit: 100, window: 60, keyStrategy: 'user' }

/** The documents of a server, by name. */
type Documents = ReadonlyMap<string, VersionedText>

/** A process of a test. */
export interface Process {
  readonly control: Control
  /** The codes of the warnings of its control, in order. */
  readonly codes: () => string[]
  readonly reasonOf: (user: string) => Promise<string>
  readonly limitOf: (user: string) => Promise<number>
  /** The ids of the users that it refuses. */
  readonly blocked: () => string[]
}

export class Server {
  documents: Documents = new Map()
  /** The error with which the server refuses to read its documents. It answers all else. */
  refusesToRead: string | undefined
  /** How calls fail. */
  fails: 'refused' | 'hanging' | undefined
  /** The names of the documents that were written, in order. */
  readonly writes: string[] = []
  /** Called before the next write of the entries, once. */
  beforeWrite: (() => Promise<unknown>) | undefined
  /** Called after the next write of the entries and before its answer, once. */
  beforeAnswer: (() => Promise<unknown>) | undefined
  /** Whether the next write of the entries is carried out, and its answer is lost. */
  losesAnswer = false
  readonly #store = new ReferenceStore(() => Date.now())
  readonly #open: { close(): unknown }[] = []

  constructor() {
    vi.useFakeTimers({ now: START })
  }

  connect(): Store {
    return {
      isShared: true,
      evaluate: group => this.#answer(() => this.#store.evaluate(group)),
      forget: counters => this.#answer(() => this.#store.forget(counters)),
      document: name => ({
        read: since =>
          this.#answer(() => {
            if (this.refusesToRead !== undefined) throw new Error(this.refusesToRead)
            const found = this.documents.get(name) ?? NEVER_WRITTEN
            return found.version === since ? undefined : found
          }),
        write: (text, since) => this.#write(name, text, since),
      }),
    }
  }

  /** A process: its control, and, unless it is a script, a limiter. */
  process({ isScript = false }: { isScript?: boolean } = {}): Process {
    const warnings: HaltWarning[] = []
    const warn = (warning: HaltWarning): void => void warnings.push(warning)
    const store = this.connect()
    const control = new Control({ store, warn })
    const limiter = new RateLimiter({
      store,
      policy: perUser,
      warn: () => {},
      onStoreError: 'open',
      ...(isScript ? {} : { control }),
    })
    this.#open.push(control, limiter)
    return {
      control,
      codes: () => warnings.map(({ code }) => code).filter(code => code.startsWith('HALT_W_CONTROL')),
      reasonOf: async (id: string) => (await limiter.check(by(id))).reason,
      limitOf: async (id: string) => (await limiter.check(by(id))).limit,
      blocked: () => control.inForce().map(({ target = '' }) => target.replace('user:', '')),
    }
  }

  /** The ids of the users that the document blocks. */
  blocked(): string[] {
    const { entries = [] } = JSON.parse(this.documents.get('control')?.text || '{}') as {
      entries?: { target: string }[]
    }
    return entries.map(({ target }) => target.replace('user:', '')).toSorted()
  }

  /** Loses all data. */
  flush(): void {
    this.documents = new Map()
  }

  /** Writes the entries by hand. */
  async writeByHand(text: string): Promise<void> {
    const document = this.connect().document?.('control')
    const { version } = (await document?.read()) ?? NEVER_WRITTEN
    await document?.write(text, version)
  }

  close(): void {
    this.fails = undefined
    for (const one of this.#open) one.close()
    vi.useRealTimers()
  }

  async #write(name: string, text: string, since: string): Promise<string | undefined> {
    if (name === 'control') {
      const { beforeWrite } = this
      this.beforeWrite = undefined
      await beforeWrite?.()
    }
    return this.#answer(async () => {
      if ((this.documents.get(name) ?? NEVER_WRITTEN).version !== since) return undefined
      const version = versionAfter(since)
      this.documents = new Map([...this.documents, [name, { version, text }]])
      this.writes.push(name)
      if (name === 'control' && this.losesAnswer) {
        this.losesAnswer = false
        throw new Error('read ECONNRESET')
      }
      if (name === 'control') {
        const { beforeAnswer } = this
        this.beforeAnswer = undefined
        await beforeAnswer?.()
      }
      return version
    })
  }

  async #answer<T>(answer: () => T | Promise<T>): Promise<T> {
    if (this.fails === 'refused') throw new Error('connect ECONNREFUSED')
    if (this.fails === 'hanging') return new Promise(() => {})
    return answer()
  }
}

/** Lets the processes read the document, and write it back. */
export async function beats(count = 1): Promise<void> {
  for (let i = 0; i < count; i++) await vi.advanceTimersByTimeAsync(1_000)
}
