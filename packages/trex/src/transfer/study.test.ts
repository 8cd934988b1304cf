import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdtempSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { pythonWith } from '../../test/support/python.js'
import { fileStudy, type Trial } from './study.js'

const options = { name: 'probe', space: { C: [1e-5, 1e6] as const }, settings: { seed: 3, trials: 30 } }
const trial = (C: number, value: number | null): Trial => ({
  parameters: { C },
  value,
  attributes: { iterations: 5 },
})
const newPath = () => join(mkdtempSync(join(tmpdir(), 'trex-study-')), 'study.log')
const trials = [trial(0.1, 80.25), trial(1e6, null), trial(1.0000000000000002, 100 / 3)]

describe('a study in a file', () => {
  test('comes back as it was, value for value', () => {
    const path = newPath()
    const study = fileStudy(path, options)
    for (const one of trials) study.add(one)
    expect(fileStudy(path, options).trials).toEqual(trials)
  })

  test('cut off anywhere, keeps the trials that were whole and goes on', () => {
    const path = newPath()
    for (const one of trials) fileStudy(path, options).add(one)
    const whole = readFileSync(path)
    for (let length = 0; length <= whole.length; length += 37) {
      writeFileSync(path, whole)
      truncateSync(path, length)
      const study = fileStudy(path, options)
      const kept = study.trials.length
      expect(study.trials).toEqual(trials.slice(0, kept))
      for (const one of trials.slice(kept)) study.add(one)
      expect(fileStudy(path, options).trials).toEqual(trials)
    }
  })

  test('is refused with other settings, and when it is something else', () => {
    const path = newPath()
    fileStudy(path, options)
    expect(() => fileStudy(path, { ...options, settings: { seed: 4 } })).toThrow('other settings')
    appendFileSync(path, 'hello\n')
    expect(() => fileStudy(path, options)).toThrow('a line reads "hello"')
    expect(() => fileStudy('/nowhere/study.log', options)).toThrow('cannot be written')
  })
})

const { python, why } = pythonWith('optuna', process.env.TREX_OPTUNA_PYTHON)

const READ = `
import json, sys, optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
optuna.logging.set_verbosity(optuna.logging.ERROR)
study = optuna.load_study(study_name=None, storage=JournalStorage(JournalFileBackend(sys.argv[1])))
print(json.dumps({
    'name': study.study_name, 'best': study.best_params, 'direction': study.direction.name,
    'settings': study.user_attrs['settings'],
    'trials': [[t.state.name, t.params, t.value, t.user_attrs, t.distributions['C'].log] for t in study.trials]}))
study.enqueue_trial({'C': 2.0})
study.optimize(lambda t: t.suggest_float('C', 1e-5, 1e6, log=True), n_trials=1)
`

test.runIf(python)(`a study is read, and continued, by Optuna${why}`, () => {
  const path = newPath()
  const study = fileStudy(path, options)
  for (const one of trials) study.add(one)
  const read = JSON.parse(execFileSync(python!, ['-c', READ, path], { encoding: 'utf8' }))
  expect(read).toEqual({
    name: 'probe',
    best: { C: 0.1 },
    direction: 'MAXIMIZE',
    settings: options.settings,
    trials: trials.map(({ parameters, value, attributes }) => [
      value === null ? 'FAIL' : 'COMPLETE',
      parameters,
      value,
      attributes,
      true,
    ]),
  })
})
