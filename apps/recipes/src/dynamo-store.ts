// A store in DynamoDB: a table with the partition key "k" (a string), and time to live on "ttl".
import {
  BatchGetItemCommand,
  DeleteItemCommand,
  type DynamoDBClient,
  PutItemCommand,
  type TransactWriteItem,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb'
import { casStore, type CasStoreOptions, type Store, type Swap } from '@halt/core/store'

type Keys = { k: { S: string } }[]

export function dynamoStore(client: DynamoDBClient, TableName: string, options: CasStoreOptions = {}): Store {
  const keyOf = (key: string): { k: { S: string } } => ({ k: { S: JSON.stringify(key) } })

  function writeOf({ key, value, expiresAt, version }: Swap<string | undefined>): TransactWriteItem {
    const condition =
      version === undefined
        ? { ConditionExpression: 'attribute_not_exists(k)' }
        : { ConditionExpression: 'n = :n', ExpressionAttributeValues: { ':n': { S: version } } }
    const at = { TableName, Key: keyOf(key), ...condition }
    if (expiresAt === undefined) return { ConditionCheck: at }
    if (value === undefined) return { Delete: at }
    // A random version, because an item that was removed and made again must not have an old one.
    const ttl = { N: String(Math.ceil(expiresAt / 1000) + 60) }
    const Item = { ...keyOf(key), v: { S: value }, n: { S: crypto.randomUUID() }, ttl }
    return { Put: { TableName, Item, ...condition } }
  }

  return casStore<string | undefined>(
    {
      async read(keys) {
        const found = new Map<string, { value: string | undefined; version: string | undefined }>()
        let left: Keys = keys.map(keyOf)
        while (left.length > 0) {
          const RequestItems = { [TableName]: { Keys: left, ConsistentRead: true } }
          const answer = await client.send(new BatchGetItemCommand({ RequestItems }))
          for (const { k, v, n } of answer.Responses?.[TableName] ?? [])
            found.set(k?.S ?? '', { value: v?.S, version: n?.S })
          // What DynamoDB had no capacity for comes back.
          left = (answer.UnprocessedKeys?.[TableName]?.Keys ?? []) as Keys
        }
        return keys.map(key => found.get(JSON.stringify(key)) ?? { value: undefined, version: undefined })
      },
      async swap(swaps) {
        const TransactItems = swaps.map(writeOf)
        const [{ Put, Delete } = {}] = TransactItems
        try {
          // One item needs no transaction, which costs twice as much.
          if (swaps.length === 1 && Put !== undefined) await client.send(new PutItemCommand(Put))
          else if (swaps.length === 1 && Delete !== undefined)
            await client.send(new DeleteItemCommand(Delete))
          else await client.send(new TransactWriteItemsCommand({ TransactItems }))
          return true
        } catch (error) {
          if (OTHERS_WROTE.includes((error as Error).name)) return false
          throw error
        }
      },
      async remove(keys) {
        const old = await Promise.all(
          keys.map(key =>
            client.send(new DeleteItemCommand({ TableName, Key: keyOf(key), ReturnValues: 'ALL_OLD' })),
          ),
        )
        return old.filter(({ Attributes }) => Attributes !== undefined).length
      },
    },
    // DynamoDB takes 100 items in a transaction and in a read.
    { kind: 'dynamodb', mostKeys: 100, ...options },
  )
}

const OTHERS_WROTE = [
  'ConditionalCheckFailedException',
  'TransactionCanceledException',
  'TransactionInProgressException',
]
