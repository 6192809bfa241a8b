export { ClusterStore } from './cluster-store.ts'
export { type ServedCluster, serveCluster } from './serve.ts'
