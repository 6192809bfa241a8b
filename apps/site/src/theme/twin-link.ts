import { useData, withBase } from 'vitepress'
import { defineComponent, h, ref } from 'vue'

const SAYS = { ready: 'Copy as Markdown', copied: 'Copied', failed: 'Could not be copied' } as const

/** The link to the page's Markdown, and a button that copies it: for people, and for tools that read no HTML. */
export const TwinLink = defineComponent({
  name: 'TwinLink',
  setup() {
    const { page } = useData()
    const state = ref<keyof typeof SAYS>('ready')
    const address = (): string => withBase(`/${page.value.relativePath}`)
    async function copy(): Promise<void> {
      try {
        const answer = await fetch(address())
        if (!answer.ok) throw new Error(`The server says ${answer.status}.`)
        await navigator.clipboard.writeText(await answer.text())
        state.value = 'copied'
      } catch {
        state.value = 'failed'
      }
      setTimeout(() => (state.value = 'ready'), 2000)
    }
    return () =>
      h('p', { class: 'twin-link' }, [
        h('button', { type: 'button', onClick: () => void copy() }, SAYS[state.value]),
        h('a', { href: address(), target: '_self' }, 'This page as Markdown'),
      ])
  },
})
