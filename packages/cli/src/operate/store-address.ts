/** The server and the prefix at which a command looks. */
export interface StoreAddress {
  /** The server, without a name or a password. */
  readonly server: string
  readonly prefix: string
  /** The processes that use it; undefined if they do not tell. */
  readonly processes: number | undefined
  /** Other prefixes of this server that processes use. Looked for if there are no processes. */
  readonly elsewhere: readonly string[]
}

/** One line that tells an address. */
export function lineOfAddress({ server, prefix, processes }: StoreAddress): string {
  const live =
    processes === undefined
      ? 'its processes do not tell that they live'
      : `${processes === 0 ? 'no' : processes} live ${processes === 1 ? 'process' : 'processes'}`
  return `${server}, prefix ${JSON.stringify(prefix)}: ${live}`
}

/** Why the result may be about nothing, and what to do. */
export function warningOfAddress({ prefix, elsewhere }: StoreAddress): string {
  const found =
    elsewhere.length === 0
      ? 'None uses another prefix of this server either.'
      : `Processes use the ${elsewhere.length === 1 ? 'prefix' : 'prefixes'} ${elsewhere.map(one => JSON.stringify(one)).join(', ')}: give --prefix ${JSON.stringify(elsewhere[0])}.`
  return `No process has used the prefix ${JSON.stringify(prefix)} during the last 15 s, so this may be the wrong server or prefix. ${found}`
}
