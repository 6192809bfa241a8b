/** The used part of a named channel of Node's `diagnostics_channel`. */
export interface Channel {
  readonly hasSubscribers: boolean
  publish(message: unknown): void
}

interface Host {
  process?: { getBuiltinModule?: (name: string) => { channel(name: string): Channel } | undefined }
}

const SILENT: Channel = Object.freeze({ hasSubscribers: false, publish() {} })

/**
 * Opens a channel of the runtime, so that all copies of this package share it. In runtimes without `diagnostics_channel`
 * (browsers, some edge runtimes) the channel is silent. Imports nothing.
 */
export function openChannel(name: string): Channel {
  try {
    const { process } = globalThis as Host
    // Without the prefix `node:`, which bundlers for other runtimes would try to resolve.
    return process?.getBuiltinModule?.('diagnostics_channel')?.channel(name) ?? SILENT
  } catch {
    return SILENT
  }
}
