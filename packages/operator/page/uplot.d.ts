// The server sends uPlot under this name.
// oxlint-disable-next-line import/no-default-export
export { default } from 'uplot'
