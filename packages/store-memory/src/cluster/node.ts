// Types of the parts of Node that a cluster needs. The package does not use Node's own types, because its store runs elsewhere, too.

/** A worker, as the primary sees it. */
export interface ClusterWorker {
  isConnected(): boolean
  send(message: unknown, sent: (error: Error | null) => void): boolean
}

type HearWorker = (worker: ClusterWorker, message: unknown) => void

/** The module `node:cluster`. */
export interface ClusterModule {
  readonly isPrimary: boolean
  readonly isWorker: boolean
  /** In the primary: the workers that run. */
  readonly workers?: Readonly<Record<string, unknown>> | undefined
  on(event: 'message', listener: HearWorker): unknown
  off(event: 'message', listener: HearWorker): unknown
}

/** This process, as a worker that can speak with its primary. */
export interface WorkerProcess {
  readonly connected: boolean
  readonly env: Readonly<Record<string, string | undefined>>
  send?(message: unknown, sent: (error: Error | null) => void): boolean
  on(event: 'message' | 'disconnect', listener: (message: unknown) => void): unknown
  off(event: 'message' | 'disconnect', listener: (message: unknown) => void): unknown
}

interface Runtime {
  readonly process?: WorkerProcess & {
    getBuiltinModule?(name: string): { readonly default?: unknown } | undefined
  }
}

/** This process. Undefined outside of Node. */
export function processOfNode(): WorkerProcess | undefined {
  return (globalThis as Runtime).process
}

/** The module `node:cluster`. Undefined outside of Node. */
export function clusterOfNode(): ClusterModule | undefined {
  const { process } = globalThis as Runtime
  return process?.getBuiltinModule?.('node:cluster') as ClusterModule | undefined
}
