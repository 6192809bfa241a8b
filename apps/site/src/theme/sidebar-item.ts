import { defineComponent, h, type VNode } from 'vue'
import VPSidebarItem from 'vitepress/dist/client/theme-default/components/VPSidebarItem.vue'

/**
 * A part of the sidebar. VitePress makes its title a button, and the arrow in it another one, which does nothing. A screen reader
 * would name both, and not say whether the part is open.
 */
export const SidebarItem = defineComponent({
  name: 'SidebarItem',
  props: { item: { type: Object, required: true }, depth: { type: Number, required: true } },
  setup: props => () =>
    h(VPSidebarItem, { item: props.item, depth: props.depth, onVnodeMounted: mend, onVnodeUpdated: mend }),
})

function mend({ el }: VNode): void {
  if (!(el instanceof HTMLElement)) return
  const title = el.querySelector(':scope > .item[role=button]')
  const arrow = title?.querySelector('.caret')
  if (title === null || !arrow) return
  for (const name of ['role', 'tabindex', 'aria-label']) arrow.removeAttribute(name)
  title.setAttribute('aria-expanded', String(!el.classList.contains('collapsed')))
}
