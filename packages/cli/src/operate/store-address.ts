/** The server, and the prefix or the table, at which a command looks. */
export interface StoreAddress {
  /** The server, without a name or a password. */
  readonly server: string
  /** The prefix of the counters, or their table. */
  readonly name: string
  /** Whether `name` is that of a table. Default false. */
  readonly isTable?: boolean
  /** The processes that use it; undefined if they do not tell. */
  readonly processes: number | undefined
  /** The processes whose limiters obey what operators set here, wherever their counters are; undefined if they do not tell. */
  readonly obeying: number | undefined
  /** Other prefixes or tables of this server that processes use. Looked for if there are no processes. */
  readonly elsewhere: readonly string[]
}

/** One line that tells an address. */
export function lineOfAddress({ server, name, isTable, processes }: StoreAddress): string {
  const live =
    processes === undefined
      ? 'its processes do not tell that they live'
      : `${processes === 0 ? 'no' : processes} live ${processes === 1 ? 'process' : 'processes'}`
  return `${server}, ${isTable ? 'table' : 'prefix'} ${JSON.stringify(name)}: ${live}`
}

/** Whether no process reads what operators set here, as far as processes tell that they live. */
export function isUnread({
  processes,
  obeying = processes,
}: Pick<StoreAddress, 'processes' | 'obeying'>): boolean {
  return processes !== undefined && obeying === 0
}

/** How many live processes have told nothing, if `told` did; undefined if processes do not tell that they live. */
export function silentOf({ processes }: Pick<StoreAddress, 'processes'>, told: number): number | undefined {
  return processes === undefined ? undefined : Math.max(0, processes - told)
}

/** Says which of the live processes do not read what operators set here; undefined if all do, or they do not tell. */
export function deafInWords({
  processes = 0,
  obeying = processes,
}: Partial<StoreAddress>): string | undefined {
  const deaf = processes - obeying
  if (deaf <= 0) return undefined
  const who = `${deaf} of ${processes} live ${processes === 1 ? 'process does' : 'processes do'}`
  return `${who} not read what operators set here: no Control, or one on another store or prefix (HALT_W_CONTROL_ELSEWHERE).`
}

/** Why the result may be about nothing, and what to do. */
export function warningOfAddress({ name, isTable, elsewhere, obeying = 0 }: StoreAddress): string {
  const [kind, kinds] = isTable ? ['table', 'tables'] : ['prefix', 'prefixes']
  if (obeying > 0)
    return `No process tells that it counts under the ${kind} ${JSON.stringify(name)}, and ${obeying} ${obeying === 1 ? 'obeys' : 'obey'} what operators set here. Their counters may be under another ${kind} (HALT_W_CONTROL_ELSEWHERE).`
  const found =
    elsewhere.length === 0
      ? `None uses another ${kind} of this server either.`
      : `Processes use the ${elsewhere.length === 1 ? kind : kinds} ${elsewhere.map(one => JSON.stringify(one)).join(', ')}: give --${kind} ${JSON.stringify(elsewhere[0])}.`
  return `No process has used the ${kind} ${JSON.stringify(name)} during the last 15 s, so this may be the wrong server or ${kind}. ${found}`
}
