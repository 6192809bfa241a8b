/** A named channel of Node's `diagnostics_channel`, as far as it is used here. */
export interface Channel {
  readonly hasSubscribers: boolean
  publish(message: unknown): void
}

interface Host {
  process?: { getBuiltinModule?: (name: string) => { channel(name: string): Channel } | undefined }
}

const SILENT: Channel = Object.freeze({ hasSubscribers: false, publish() {} })

/**
 * Opens a channel: the runtime's own, so that all copies of this package share it; a silent one where there is no
 * `diagnostics_channel` (browsers, some edge runtimes). Imports nothing.
 */
export function openChannel(name: string): Channel {
  try {
    const { process } = globalThis as Host
    // Without the prefix of Node's modules: bundlers for other runtimes must find none.
    return process?.getBuiltinModule?.('diagnostics_channel')?.channel(name) ?? SILENT
  } catch {
    return SILENT
  }
}
