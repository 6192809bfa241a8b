export { NavSearch as default } from '../../src/theme/nav-search.ts'
