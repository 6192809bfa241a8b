// These aliases have no types. The tests use only parts that Express 5 has too.
declare module 'express4' {
  import express from 'express'
  export default express
}
declare module 'express51' {
  import express from 'express'
  export default express
}
