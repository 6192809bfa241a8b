import { defineComponent, type FunctionalComponent, h, ref, type VNode } from 'vue'

import { toHash } from '../link.ts'
import { policyCode } from '../policy-code.ts'
import { FIRST, type PlayPolicy, type Setup } from '../setup.ts'
import { CalculatorForm } from './calculator-form.ts'
import { choice, read } from './field.ts'
import { type Player, usePlayer } from './player.ts'
import { policyForm } from './policy-form.ts'
import { pictureView, toldView } from './side-view.ts'
import { trafficForm } from './traffic-form.ts'

const MOST_POLICIES = 4
/** The name of the side, if there is one alone. */
const ONLY = 'Policies'

/** The playground: the shipped packages decide requests in the page. */
export const Playground = defineComponent({
  name: 'Playground',
  setup() {
    const player = usePlayer()
    const copied = ref('')
    const copy = async (text: string, name: string): Promise<void> => {
      copied.value = await navigator.clipboard.writeText(text).then(
        () => `The ${name} is in the clipboard.`,
        () => `The browser did not let this page write into the clipboard. Copy the ${name} by hand.`,
      )
    }
    // Nothing is drawn for another set-up first, so nothing moves.
    const coming = (): VNode =>
      h('div', { class: 'playground coming' }, h('p', { role: 'status' }, 'The playground is loading …'))
    const bench = (): VNode =>
      h('div', { class: 'playground' }, [
        // On a phone they stand below each other, so that whoever changes a number sees the picture above it.
        h('div', { class: 'bench' }, [
          h('div', { class: 'show' }, [
            h('p', { class: 'problem', role: 'alert' }, player.problem.value),
            h(Pictures, { player }),
            h('p', { class: 'notes' }, player.run.value?.simulation.notes.join(' ')),
            h(Times, { player }),
          ]),
          h(SetupForm, { player }),
          h(Told, { player }),
        ]),
        taken(player.setup.value, copy),
        h('p', { class: 'copied', role: 'status' }, copied.value),
        h(CalculatorForm, {
          onUse: (policies: readonly PlayPolicy[]) => player.update({ sides: [policies] }),
        }),
      ])
    return () => (player.isOpen.value ? bench() : coming())
  },
})

/** A part of the page that is written again by itself. So a change of the counts does not touch a field that somebody fills in. */
type Part = FunctionalComponent<{ readonly player: Player }>
const part = (render: (player: Player) => VNode): Part =>
  Object.assign(({ player }: { player: Player }) => render(player), { props: ['player'] })

const SetupForm = part(setupForm)
const Times = part(times)
const Pictures = part(pictures)
const Told = part(told)

/** The pictures of the sides. */
function pictures({ setup, run, written, canvases }: Player): VNode {
  // Read here, so that the texts are written again when it grows.
  void written.value
  const side = (policies: readonly PlayPolicy[], i: number): VNode =>
    pictureView(nameOf(i, setup.value), policies.length, run.value?.watches[i], element => {
      canvases[i] = element as HTMLCanvasElement | null
    })
  return h('div', { class: 'stages' }, setup.value.sides.map(side))
}

/** What the clients of the sides are told. */
function told({ setup, run, written }: Player): VNode {
  void written.value
  const { sides } = setup.value
  const title = (i: number): string => (sides.length > 1 ? `${nameOf(i, setup.value)}, to the client` : '')
  return h(
    'div',
    { class: 'stages texts' },
    sides.map((_side, i) => toldView(title(i), run.value?.watches[i])),
  )
}

/** The forms of the policies and of the traffic. */
function setupForm({ setup, update }: Player): VNode {
  const { sides } = setup.value
  const setSide = (at: number, policies: readonly PlayPolicy[]): void =>
    update({ sides: sides.map((side, i) => (i === at ? policies : side)) })
  const compare =
    sides.length === 1
      ? button('Compare with a second side', () =>
          update({ sides: [...sides, [otherAlgorithm(sides[0]?.[0])]] }),
        )
      : button('Remove side B', () => update({ sides: sides.slice(0, 1) }))
  return h('div', { class: 'setup' }, [
    ...sides.map((policies, i) => sideForm(nameOf(i, setup.value), policies, next => setSide(i, next))),
    compare,
    trafficForm(
      setup.value,
      next => update({ traffic: next }),
      lasts => update({ lasts }),
    ),
  ])
}

function sideForm(
  name: string,
  policies: readonly PlayPolicy[],
  set: (policies: readonly PlayPolicy[]) => void,
): VNode {
  const change = (at: number, next: PlayPolicy | undefined): void =>
    set(policies.flatMap((policy, i) => (i === at ? (next ?? []) : policy)))
  return h('div', { class: 'side-form', role: 'group', 'aria-label': name }, [
    ...policies.map((policy, i) => {
      const title = name === ONLY ? `Policy ${policy.name}` : `${name}, ${policy.name}`
      return policyForm(title, policy, next => change(i, next), policies.length > 1)
    }),
    button(
      'Add a policy',
      () => set([...policies, furtherPolicy(policies)]),
      policies.length >= MOST_POLICIES,
    ),
  ])
}

/** The controls of the time, and of the client that the pictures follow. */
function times({ setup, run, written, isRunning, followed, restart, step, setSpeed }: Player): VNode {
  void written.value
  const { speed } = setup.value
  const { simulation } = run.value ?? {}
  const isStopped = simulation === undefined
  const names = [...(simulation?.sides[0]?.clients.keys() ?? [])].slice(0, 50)
  const clients = { '': 'the main one', ...Object.fromEntries(names.map(name => [name, name])) }
  return h('div', { class: 'times', role: 'group', 'aria-label': 'Time' }, [
    button(isRunning.value ? 'Pause' : 'Run', () => (isRunning.value = !isRunning.value), isStopped),
    button('Next request', step, isStopped),
    button('From the start', restart),
    h('label', [
      h('span', `time, ${speed} × as fast`),
      h('input', {
        type: 'range',
        min: 1,
        max: 100,
        value: speed,
        onInput: read(text => setSpeed(Number(text))),
      }),
    ]),
    choice('followed client', followed.value, clients, name => (followed.value = name)),
    h('output', `${((simulation?.now ?? 0) / 1e6).toFixed(1)} s`),
  ])
}

/** What a visitor takes along: the policies as code, and a link. */
function taken(setup: Setup, copy: (text: string, name: string) => Promise<void>): VNode {
  const codes = setup.sides.map(policyCode)
  return h('div', { class: 'taken' }, [
    ...codes.map((code, i) =>
      h('div', [
        h('h2', `${nameOf(i, setup)} as code`),
        h('pre', { class: 'code', tabindex: 0, 'aria-label': `${nameOf(i, setup)} as code` }, code),
        button('Copy the code', () => void copy(code, 'code')),
      ]),
    ),
    button(
      'Copy a link to this set-up',
      () => void copy(location.href.replace(/#.*|$/, toHash(setup)), 'link'),
    ),
  ])
}

function button(text: string, onClick: () => void, disabled = false): VNode {
  return h('button', { type: 'button', disabled, onClick }, text)
}

function nameOf(side: number, { sides }: Setup): string {
  return sides.length > 1 ? `Side ${side === 0 ? 'A' : 'B'}` : ONLY
}

/** A further policy, with a name that is free. */
function furtherPolicy(policies: readonly PlayPolicy[]): PlayPolicy {
  const names = policies.map(({ name }) => name)
  const name = ['per_minute', 'second', 'third', 'fourth'].find(free => !names.includes(free)) ?? 'other'
  return { name, limit: 30, window: '1m' }
}

/** The same limit with another algorithm, which is the first thing to compare. */
function otherAlgorithm(policy: PlayPolicy = FIRST.sides[0]?.[0] as PlayPolicy): PlayPolicy {
  const { name, limit, window, ttl } = policy
  return {
    name,
    limit,
    window: window ?? ttl,
    algorithm: policy.algorithm === 'sliding-window' ? 'fixed-window' : 'sliding-window',
  }
}
