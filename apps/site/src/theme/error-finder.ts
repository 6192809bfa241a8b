import { withBase } from 'vitepress'
import { computed, defineComponent, h, ref, type VNode } from 'vue'

import { codesIn } from './codes-in.ts'

/** A box into which one pastes a log or a warning, and the pages of the codes in it. */
export const ErrorFinder = defineComponent({
  name: 'ErrorFinder',
  setup() {
    const pasted = ref('')
    const codes = computed(() => codesIn(pasted.value))
    const box = {
      id: 'pasted',
      rows: 3,
      spellcheck: false,
      value: pasted.value,
      placeholder: '(node:4242) [HALT_W_UNTRUSTED_PROXY] HaltWarning: …',
      onInput: (event: Event) => (pasted.value = (event.target as HTMLTextAreaElement).value),
    }
    return () =>
      h('div', { class: 'error-finder' }, [
        h('label', { for: 'pasted' }, 'Paste a warning, an error or a log'),
        h('textarea', box),
        h('p', { role: 'status' }, found(pasted.value, codes.value)),
      ])
  },
})

function found(pasted: string, codes: readonly string[]): string | (string | VNode)[] {
  if (pasted.trim() === '') return 'It stays on this page.'
  if (codes.length === 0) return 'There is no code of Halt in it. A code begins with HALT_E_ or HALT_W_.'
  return codes.flatMap((code, i) => [
    i > 0 ? ' · ' : 'Read ',
    h('a', { href: withBase(`/errors/${code}`) }, code),
  ])
}
