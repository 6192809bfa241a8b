import { useRouter, withBase } from 'vitepress'
import { defineAsyncComponent, defineComponent, h, onMounted, onUnmounted, ref, Teleport } from 'vue'

const SearchBox = defineAsyncComponent({
  loader: async () => (await import('../search/search-box.ts')).SearchBox,
  // A slow line: the box says that it comes.
  loadingComponent: () => h('p', { class: 'search-coming', role: 'status' }, 'Loading the search …'),
  errorComponent: () =>
    h('p', { class: 'search-coming', role: 'alert' }, 'The search could not be loaded. Load the page again.'),
  delay: 100,
})

/** The button of the search in the bar, its keys (Ctrl+K, ⌘K, /), and its dialog. It stands in place of VitePress's own. */
export const NavSearch = defineComponent({
  name: 'NavSearch',
  setup() {
    const router = useRouter()
    const isOpen = ref(false)
    const onKey = (event: KeyboardEvent): void => {
      const isShortcut = event.key.toLowerCase() === 'k' && (event.ctrlKey || event.metaKey)
      if (!isShortcut && (event.key !== '/' || isTyping(event.target))) return
      event.preventDefault()
      isOpen.value = true
    }
    onMounted(() => addEventListener('keydown', onKey))
    onUnmounted(() => removeEventListener('keydown', onKey))
    const addressOf = (path: string): string => withBase(`/${path}`)
    const go = (href: string): void => {
      isOpen.value = false
      void router.go(href)
    }
    return () =>
      h('div', { class: 'VPNavBarSearch' }, [
        h(
          'button',
          {
            type: 'button',
            class: 'search-button',
            'aria-label': 'Search',
            onClick: () => (isOpen.value = true),
          },
          [
            h('span', { class: 'vpi-search', 'aria-hidden': true }),
            h('span', { class: 'search-button-text' }, 'Search'),
          ],
        ),
        // In the bar, lines would not break.
        isOpen.value
          ? h(
              Teleport,
              { to: 'body' },
              h(SearchBox, { addressOf, onClose: () => (isOpen.value = false), onGo: go }),
            )
          : undefined,
      ])
  },
})

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || /^(?:INPUT|SELECT|TEXTAREA)$/.test(target.tagName))
  )
}
