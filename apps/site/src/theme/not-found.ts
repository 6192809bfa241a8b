import { withBase } from 'vitepress'
import { defineComponent, h, onMounted, ref, type VNode } from 'vue'

import { codesIn } from './codes-in.ts'

/** The page of an address without a page. It leads to the errors, because their codes are typed by hand, often in small letters. */
export const NotFound = defineComponent({
  name: 'NotFound',
  setup() {
    const code = ref<string>()
    // The built page is the same for all addresses.
    onMounted(() => {
      const [meant] = codesIn(location.pathname.toUpperCase())
      code.value = meant !== undefined && !location.pathname.includes(meant) ? meant : undefined
    })
    return () =>
      h('div', { class: 'not-found' }, [
        h('h1', 'There is no such page'),
        code.value === undefined ? undefined : h('p', ['Read ', link(`/errors/${code.value}`, code.value)]),
        h('p', [link('/errors/', 'All errors and warnings'), ' · ', link('/contents', 'All pages')]),
      ])
  },
})

function link(path: string, text: string): VNode {
  return h('a', { href: withBase(path) }, text)
}
