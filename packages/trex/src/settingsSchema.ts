import { z } from 'zod'
import { RECIPES } from './recipes.js'
import { settingsSchema } from './settings.js'

type JsonSchema = z.core.JSONSchema.BaseSchema

/**
 * The JSON Schema (draft 7) of a settings file, as `--config` reads it: every setting may be left out, and no other key
 * is allowed. settings.schema.json is its text; `npm run schema` writes that.
 */
export function settingsJsonSchema(): JsonSchema {
  const whole = z.toJSONSchema(settingsSchema, { target: 'draft-7', io: 'input' })
  const { $schema, ...schema } = partial(whole)
  const { recipe, ...others } = schema.properties as Record<string, JsonSchema>
  return {
    $schema,
    title: 'Settings of trex',
    description: 'Settings over those of a recipe: trex train DATA --config FILE.',
    ...schema,
    properties: { recipe: { ...recipe, enum: [...RECIPES.keys()] }, ...others },
  }
}

/** The schema with nothing required in its groups; what stands in a list is whole. */
function partial(schema: JsonSchema): JsonSchema {
  const { required, properties, anyOf, ...rest } = schema
  return {
    ...rest,
    ...(anyOf && { anyOf: anyOf.map((option) => partial(option as JsonSchema)) }),
    ...(properties && {
      properties: Object.fromEntries(
        Object.entries(properties).map(([key, value]) => [key, partial(value as JsonSchema)]),
      ),
    }),
  }
}

/** The text of settings.schema.json. */
export const settingsSchemaText = (): string => `${JSON.stringify(settingsJsonSchema(), null, 2)}\n`
