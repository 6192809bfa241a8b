import { createApp, h, ref } from 'vue'

import { SearchBox } from '../../src/search/search-box.ts'

/** Shows the search alone on a page, and writes where it leads. */
export function mount(): void {
  const isOpen = ref(true)
  const went = ref('')
  createApp(() => [
    h('output', went.value),
    isOpen.value
      ? h(SearchBox, {
          addressOf: (path: string) => `/${path}`,
          onClose: () => (isOpen.value = false),
          onGo: (href: string) => (went.value = href),
        })
      : undefined,
  ]).mount('#search')
}
