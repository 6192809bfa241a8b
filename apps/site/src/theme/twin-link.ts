import { useData, withBase } from 'vitepress'
import { defineComponent, h } from 'vue'

/** The link to the page's Markdown, for people and tools that copy it. */
export const TwinLink = defineComponent({
  name: 'TwinLink',
  setup() {
    const { page } = useData()
    return () =>
      h('p', { class: 'twin-link' }, [
        h('a', { href: withBase(`/${page.value.relativePath}`), target: '_self' }, 'This page as Markdown'),
      ])
  },
})
