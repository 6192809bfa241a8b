import { h, type VNode } from 'vue'

import { adviceOn } from '../advice.ts'
import { stageHeight } from '../draw/stage.ts'
import type { Watch } from '../watch.ts'

/** Shows the counts and the picture of one side. */
export function pictureView(
  name: string,
  policies: number,
  watch: Watch | undefined,
  canvas: (element: unknown) => void,
): VNode {
  const { admitted = 0, refused = 0, firstRefusal = 0 } = watch?.side ?? {}
  const first = firstRefusal === 0 ? 'none was refused' : `the first refused one was number ${firstRefusal}`
  const counts = `${admitted} admitted, ${refused} refused; ${first}`
  return h('section', { class: 'side', 'aria-label': name }, [
    h('h2', name),
    h('p', { class: 'counts' }, [
      h('span', { class: 'admitted' }, `${admitted} admitted`),
      h('span', { class: 'refused' }, `${refused} refused`),
      h('span', first),
    ]),
    h('canvas', {
      ref: canvas as never,
      role: 'img',
      'aria-label': `The requests and what is left: ${counts}.`,
      style: { height: `${stageHeight(policies)}px` },
    }),
  ])
}

/** Shows what a client of one side is told: the last answer, the advice, the explanation. `title` is empty for a side alone. */
export function toldView(title: string, watch: Watch | undefined): VNode {
  return h('section', { class: 'told', 'aria-label': title === '' ? 'What a client is told' : title }, [
    title === '' ? undefined : h('h2', title),
    block('The last answer', answerOf(watch)),
    h('div', [h('h3', 'What the client should do'), h('p', { class: 'advice' }, adviceOf(watch))]),
    block('explain()', watch?.explanation?.toString() ?? 'Nothing was sent yet.'),
  ])
}

function block(title: string, text: string): VNode {
  return h('div', [h('h3', title), h('pre', { tabindex: 0, 'aria-label': title }, text)])
}

function adviceOf(watch: Watch | undefined): string {
  const decision = watch?.client?.outcome.decision
  const explained = watch?.explanation?.policies.find(({ policy }) => policy === decision?.policy)
  return adviceOn(decision, explained?.algorithm === 'concurrency')
}

/** The answer as it goes over the wire. */
function answerOf(watch: Watch | undefined): string {
  const outcome = watch?.client?.outcome
  if (outcome === undefined) return 'Nothing was sent yet.'
  const { pass, status, headers, body } = outcome
  const lines = [
    `HTTP/1.1 ${pass ? '200 OK' : `${status} ${status === 429 ? 'Too Many Requests' : 'Service Unavailable'}`}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ]
  return body === undefined
    ? lines.join('\n')
    : [...lines, `Content-Type: ${body.type}`, '', body.text].join('\n')
}
