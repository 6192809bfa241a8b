// Plays a random history of requests on real sockets, and says what was wrong with it.
import { Random } from '../simulation/random.ts'
import { ACTS } from './acts.ts'
import type { Line } from './line.ts'
import { type Plan, Scene, settles, type Told, turns } from './scene.ts'
import type { Stage } from './stages.ts'
import { LIMIT, type Variant } from './variants.ts'

const LARGE = 100_000
const STEPS = 40

/** What was wrong with a history, and what happened before. Nothing if all was well. */
export async function play(stage: Stage, variant: Variant, seed: number): Promise<readonly string[]> {
  const scene = new Scene(stage, variant)
  const played = new Play(scene, stage, variant, new Random(seed))
  await scene.open()
  for (let i = 0; i < STEPS && played.wrong.length === 0; i++) await played.step()
  if (played.wrong.length === 0) await played.end()
  await scene.close()
  return played.wrong.length === 0 ? [] : [...played.wrong, ...played.log]
}

class Play {
  readonly wrong: string[] = []
  readonly log: string[] = []
  readonly #scene: Scene
  readonly #stage: Stage
  readonly #variant: Variant
  readonly #random: Random

  constructor(scene: Scene, stage: Stage, variant: Variant, random: Random) {
    this.#scene = scene
    this.#stage = stage
    this.#variant = variant
    this.#random = random
  }

  async step(): Promise<void> {
    const dice = this.#random.next()
    if (dice < 0.4) await this.#send()
    else if (dice < 0.5) await this.#sendBatch()
    else if (dice < 0.75) this.#letGo()
    else if (dice < 0.83) this.#cancel()
    else if (dice < 0.88) this.#endLine()
    else this.#finish()
    if (this.#variant.isExact) return this.#compare()
    if (this.#random.next() < 0.3) this.#scene.skip(this.#pick([1, 30, 200, 1100, 11_000])!)
    if (this.#scene.shedder.state.inFlight < 0) this.#fail('fewer than none are in flight')
  }

  /** Lets all end, and judges what has become of each request. */
  async end(): Promise<void> {
    const scene = this.#scene
    for (const told of scene.live) this.#finishBodyOf(told)
    for (const told of scene.told) if (scene.handled.has(told.id) && !told.isLetGo) scene.letGo(told)
    if (!(await settles(() => scene.live.every(({ sent }) => sent.isOver))))
      this.#fail(
        `${scene.live
          .filter(({ sent }) => !sent.isOver)
          .map(({ id }) => id)
          .join()} got no answer`,
      )
    for (const told of scene.live) this.#judge(told)
    for (const { isOpen, stray } of scene.lines) if (isOpen && stray !== '') this.#fail(`stray: ${stray}`)
    // Where the client has left, nobody may tell that the work has ended.
    scene.skip(1000)
    await settles(() => scene.shedder.state.inFlight === 0)
    await turns(3)
    const { admitted, refused, inFlight, limits } = scene.shedder.state
    if (inFlight !== 0 || limits.some(limit => limit.inFlight !== 0)) this.#fail(`${inFlight} are in flight`)
    const counted = scene.told.filter(({ name }) => name !== undefined).length
    if (admitted.normal + refused.normal !== counted)
      this.#fail(`${counted} asked, ${admitted.normal} admitted, ${refused.normal} refused`)
  }

  #judge({ id, name, sent: { statuses, headers } }: Told): void {
    const times = this.#scene.handled.get(id) ?? 0
    const isRefused = name !== undefined && times === 0
    if (statuses.length !== 1 || times > 1)
      this.#fail(`${id} was handled ${times} times, and got ${statuses.join()}`)
    if (isRefused !== (statuses[0] === 503))
      this.#fail(`${id} was handled ${times} times, and got ${statuses.join()}`)
    if (isRefused && this.#variant.options.mode === 'shadow') this.#fail(`${id} was refused`)
    if (isRefused !== /^[123]$/.test(headers['retry-after'] ?? '')) this.#fail(`${id}: wrong Retry-After`)
  }

  /** The places are those of the requests that are known to hold one, and stay so. */
  async #compare(): Promise<void> {
    const scene = this.#scene
    const isEqual = (): boolean => {
      const more = scene.shedder.state.inFlight - scene.holding
      return more >= 0 && more <= scene.lingering
    }
    await settles(isEqual)
    await turns(3)
    if (!isEqual()) this.#fail(`${scene.shedder.state.inFlight} are in flight, and not ${scene.holding}`)
  }

  async #send(): Promise<void> {
    const scene = this.#scene
    const isFull = scene.holding >= LIMIT
    const { refused } = scene.shedder.state
    const told = this.#tell(this.#line(), false)
    if (!(await scene.arrive())) return this.#fail(`${told.id} did not arrive`)
    if (told.name === undefined) return
    const isDecided = (): boolean =>
      scene.handled.has(told.id) || scene.shedder.state.refused.normal > refused.normal
    if (!(await settles(isDecided))) return this.#fail(`${told.id} was neither handled nor refused`)
    const isKnown = this.#variant.isExact && scene.lingering === 0
    if (isKnown && scene.handled.has(told.id) === isFull)
      this.#fail(`${told.id} was ${isFull ? 'admitted' : 'refused'}, though ${scene.holding} are in flight`)
  }

  /** Sends several requests at once, pipelined in HTTP/1. */
  async #sendBatch(): Promise<void> {
    const line = this.#line()
    for (let i = this.#random.next() * 5 - 1; i >= -1; i--) this.#tell(line, true)
    if (!(await this.#scene.arrive())) this.#fail('not all arrived')
  }

  /** A line on which a request may follow. */
  #line(): Line {
    const { lines, live } = this.#scene
    const isFree = (line: Line): boolean =>
      this.#stage.isHttp2 ||
      live.every(told => told.line !== line || (told.bodyIsThere && (!told.isLarge || told.sent.isOver)))
    const free = lines.filter(line => line.isOpen && isFree(line))
    return (this.#random.next() < 0.6 ? this.#pick(free) : undefined) ?? this.#scene.connect()
  }

  #tell(line: Line, isInBatch: boolean): Told {
    const name = this.#random.next() < 0.05 ? undefined : this.#pick(Object.keys(ACTS))!
    const method = name === undefined ? 'GET' : this.#pick(this.#stage.methods)!
    const hasBody = method === 'POST' || method === 'DELETE'
    const size = hasBody ? this.#pick(this.#mayBeLarge(line, name, isInBatch) ? [0, 10, LARGE] : [0, 10])! : 0
    const isPartial = size > 0 && !isInBatch && this.#random.next() < 0.4
    const plan: Plan = { name, method, size, isPartial }
    const told = this.#scene.send(line, plan)
    const { lines } = this.#scene
    this.log.push(
      `${told.id} on ${lines.indexOf(line)}: ${method} ${name} ${size}${isPartial ? ' in parts' : ''}`,
    )
    return told
  }

  // Node does not notice that a client of HTTP/1 leaves whose body fills the buffers and nobody reads.
  #mayBeLarge(line: Line, name: string | undefined, isInBatch: boolean): boolean {
    if (this.#stage.isHttp2) return true
    if (isInBatch || this.#scene.live.some(told => told.line === line && !told.sent.isOver)) return false
    return name === 'upload' || name === 'quick' || (this.#variant.isExact && this.#scene.holding >= LIMIT)
  }

  #letGo(): void {
    const { told: all, handled } = this.#scene
    const told = this.#pick(all.filter(({ id, isLetGo }) => handled.has(id) && !isLetGo))
    if (told === undefined) return
    this.log.push(`let ${told.id} go`)
    this.#scene.letGo(told)
  }

  #cancel(): void {
    const told = this.#pick(this.#scene.live)
    if (told === undefined) return
    this.log.push(`cancel ${told.id}`)
    this.#scene.goneWith(told)
    told.line.cancel(told.sent)
  }

  #endLine(): void {
    const line = this.#pick(this.#scene.lines.filter(({ isOpen }) => isOpen))
    if (line === undefined) return
    const isCut = this.#random.next() < 0.5
    this.log.push(`${isCut ? 'cut' : 'end'} line ${this.#scene.lines.indexOf(line)}`)
    // In HTTP/1 Node ends the connection of a client that sends no more.
    if (isCut || !this.#stage.isHttp2) this.#scene.goneOn(line)
    if (isCut) line.cut()
    else line.end()
  }

  #finish(): void {
    const told = this.#pick(this.#scene.live.filter(({ bodyIsThere }) => !bodyIsThere))
    if (told === undefined) return
    this.log.push(`finish ${told.id}`)
    this.#finishBodyOf(told)
  }

  #finishBodyOf(told: Told): void {
    if (!told.bodyIsThere) told.sent.finish()
    told.bodyIsThere = true
  }

  #pick<T>(of: readonly T[]): T | undefined {
    return of[Math.floor(this.#random.next() * of.length)]
  }

  #fail(what: string): void {
    this.wrong.push(what)
  }
}
