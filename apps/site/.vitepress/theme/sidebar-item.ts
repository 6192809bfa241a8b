export { SidebarItem as default } from '../../src/theme/sidebar-item.ts'
