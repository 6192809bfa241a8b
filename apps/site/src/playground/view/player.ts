import { onBeforeUnmount, onMounted, type Ref, ref, type ShallowRef, shallowRef } from 'vue'

import { drawStage } from '../draw/stage.ts'
import { fromHash, problemOf, toHash } from '../link.ts'
import { FIRST, type Setup } from '../setup.ts'
import { Simulation } from '../simulation.ts'
import { mainClient, Watch } from '../watch.ts'

/** A simulation, and what the page follows on each of its sides. */
interface Run {
  readonly simulation: Simulation
  readonly watches: readonly Watch[]
}

/** The set-up of the page, its run, and the acts of the visitor. */
export interface Player {
  readonly setup: ShallowRef<Setup>
  readonly run: ShallowRef<Run | undefined>
  /** The sentence that says why nothing runs; empty if something does. */
  readonly problem: Ref<string>
  readonly isRunning: Ref<boolean>
  /** Whether the set-up of the address is known. The built page is the same for all addresses. */
  readonly isOpen: Ref<boolean>
  /** The client that the visitor chose to follow; empty for the main one. */
  readonly followed: Ref<string>
  /** Grows each time the texts are to be written again. */
  readonly written: Ref<number>
  /** The canvases of the sides. */
  readonly canvases: (HTMLCanvasElement | null)[]
  /** Changes the set-up, and starts it anew. */
  readonly update: (change: Partial<Setup>) => void
  /** Changes the speed, and goes on. */
  readonly setSpeed: (speed: number) => void
  readonly restart: () => void
  /** Decides the next request, and pauses. */
  readonly step: () => void
}

/** The texts change so many times per second; the pictures change with each frame. */
const TEXTS_PER_SECOND = 5
/** Steps in which the time before the first picture passes. Each gives the lanes a point. */
const STEPS_BEFORE = 180
/** Requests that are decided at most before the first picture, so that it is there at once. */
const MOST_BEFORE = 5000
/** A tab that was hidden does not catch up: one frame moves the time by at most this. */
const LONGEST_FRAME_MS = 100

/** Plays the set-up of the page's address while the component is mounted. */
export function usePlayer(): Player {
  const setup = shallowRef<Setup>(FIRST)
  const run = shallowRef<Run>()
  const problem = ref('')
  const isRunning = ref(false)
  const isOpen = ref(false)
  const followed = ref('')
  const written = ref(0)
  const canvases: Player['canvases'] = []
  let isGone = false
  let opens = 0
  let frame = 0
  let lastFrame = 0
  let lastText = 0

  function start(next: Setup): void {
    setup.value = next
    const found = problemOf(next)
    if (found !== undefined) return fail(found)
    problem.value = ''
    const simulation = new Simulation(next)
    const watches = simulation.sides.map((side, i) => new Watch(side, next.sides[i] ?? [], simulation.span))
    run.value = { simulation, watches }
  }

  function fail(sentence: string): void {
    problem.value = sentence
    run.value = undefined
    isRunning.value = false
  }

  /** Takes the set-up of the address, unless it is the present one. It begins with a picture of what has happened already. */
  async function open(): Promise<void> {
    const found = fromHash(location.hash)
    if (typeof found === 'string') return fail(found)
    if (run.value !== undefined && toHash(found) === toHash(setup.value)) return
    isRunning.value = false
    const own = ++opens
    start(found)
    await playBefore()
    // A later address is still at its start, and goes on by itself.
    if (own !== opens) return
    isRunning.value = run.value !== undefined && !matchMedia('(prefers-reduced-motion: reduce)').matches
  }

  function onAddress(): void {
    void open()
  }

  /** Lets the time of a whole picture pass, unless the visitor starts something else meanwhile. A log starts at its start. */
  async function playBefore(): Promise<void> {
    const present = run.value
    if (present === undefined || setup.value.traffic.kind === 'log') return
    const { simulation, watches } = present
    const decided = (): number => {
      const [side] = simulation.sides
      return side === undefined ? 0 : side.admitted + side.refused
    }
    for (let i = 0; i < STEPS_BEFORE && decided() < MOST_BEFORE && run.value === present; i++) {
      simulation.advance(simulation.span / STEPS_BEFORE)
      const client = mainClient(simulation.sides[0], setup.value)
      await Promise.all(watches.map(watch => watch.look(simulation.now, client)))
    }
  }

  /** Shows the set-up in the address, so that it can be copied from there too. */
  function tellAddress(): void {
    history.replaceState(history.state, '', toHash(setup.value))
  }

  async function draw(now: number): Promise<void> {
    frame = requestAnimationFrame(at => void draw(at))
    const since = Math.min(LONGEST_FRAME_MS, now - lastFrame)
    lastFrame = now
    if (run.value === undefined) return
    const { simulation, watches } = run.value
    if (isRunning.value) simulation.advance(since * 1000 * setup.value.speed)
    if (simulation.isOver) isRunning.value = false
    await show(simulation, watches)
    if (now - lastText < 1000 / TEXTS_PER_SECOND) return
    lastText = now
    written.value++
  }

  async function show(simulation: Simulation, watches: readonly Watch[]): Promise<void> {
    const client = followed.value || mainClient(simulation.sides[0], setup.value)
    await Promise.all(watches.map(watch => watch.look(simulation.now, client)))
    for (const [i, { side, lanes }] of watches.entries()) {
      const canvas = canvases[i]
      if (canvas) drawStage(canvas, simulation, side, lanes)
    }
  }

  onMounted(() => {
    addEventListener('hashchange', onAddress)
    void open().then(() => {
      if (isGone) return
      isOpen.value = true
      frame = requestAnimationFrame(at => void draw(at))
      performance.mark('playground can be used')
    })
  })
  onBeforeUnmount(() => {
    isGone = true
    cancelAnimationFrame(frame)
    removeEventListener('hashchange', onAddress)
  })

  return {
    setup,
    run,
    problem,
    isRunning,
    isOpen,
    followed,
    written,
    canvases,
    update(change) {
      start({ ...setup.value, ...change })
      if (problem.value === '') tellAddress()
    },
    setSpeed(speed) {
      setup.value = { ...setup.value, speed }
      tellAddress()
    },
    restart: () => start(setup.value),
    step() {
      isRunning.value = false
      run.value?.simulation.step()
    },
  }
}
