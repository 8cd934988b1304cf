import { engineInfo } from 'trex-torch'

/** What a run's numbers depend on besides its settings, as env.json holds it. */
export interface Environment {
  readonly node: string
  readonly platform: string
  readonly engine: { readonly version: string; readonly threads: number }
  readonly libtorch: string | undefined
}

/** That of this process. @throws EngineError when there is no engine. */
export function currentEnvironment(): Environment {
  const { record, ...engine } = engineInfo()
  const platform = `${process.platform}-${process.arch}`
  return { node: process.version, platform, engine, libtorch: record?.source }
}

/** In words, what differs between two environments and may change the last digits of a resumed run; empty when nothing. */
export function environmentChanges(before: Environment, now: Environment): string[] {
  const facts: [string, (environment: Environment) => string | number][] = [
    ['platform', ({ platform }) => platform],
    ['libtorch', ({ engine }) => engine.version],
    ['threads', ({ engine }) => engine.threads],
  ]
  return facts.flatMap(([name, of]) =>
    of(before) === of(now) ? [] : [`${name} ${of(before)} -> ${of(now)}`],
  )
}
