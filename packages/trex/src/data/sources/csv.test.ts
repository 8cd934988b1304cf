import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { TrexError } from '../../errors.js'
import { readCsvDataset } from './csv.js'

let root: string
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'trex-csv-'))
  for (const name of ['1.jpg', '2.jpg', '3.jpg', '4.jpg', 'a,b.jpg', 'say "hi".jpg'])
    await writeFile(join(root, name), '')
})
afterAll(() => rm(root, { recursive: true }))

const table = async (text: string | Uint8Array, name = 'data.csv') => {
  const file = join(root, name)
  await writeFile(file, text)
  return file
}
const read = async (text: string | Uint8Array, options = {}) => readCsvDataset(await table(text), options)
const message = async (text: string | Uint8Array): Promise<string> => {
  const error = await read(text).catch((e) => e)
  expect(error).toBeInstanceOf(TrexError)
  expect(error.hint).toBeTruthy()
  expect(error.message).toContain(join(root, 'data.csv'))
  return error.message.replaceAll(`${root}/`, '')
}

describe('reads', () => {
  test('columns in any order, splits, quotes, CRLF, a byte-order mark, absolute paths', async () => {
    const { classes, train, val, ignored } = await read(
      '\ufeffwidth, Split ,label,path\r\n' +
        `9,train,dog,1.jpg\r\n9,validation,cat,"a,b.jpg"\r\n\r\n9,VAL,dog,"say ""hi"".jpg"\r\n` +
        `9,train,cat,${root}/2.jpg\r\n9,test,bird,3.jpg\r\n9,train, dog ,./1.jpg\r\n`,
    )
    expect(classes).toEqual(['cat', 'dog'])
    expect(train).toEqual([
      { path: join(root, '1.jpg'), label: 1 },
      { path: join(root, '2.jpg'), label: 0 },
    ])
    expect(val).toEqual([
      { path: join(root, 'a,b.jpg'), label: 0 },
      { path: join(root, 'say "hi".jpg'), label: 1 },
    ])
    expect(ignored).toEqual({ 'test split': 1, 'repeated line': 1 })
  })
  test('without split, a part of each class is held out by the seed', async () => {
    const { train, val } = await read('path,label\n1.jpg,a\n2.jpg,a\n3.jpg,b\n4.jpg,b\n', {
      valFraction: 0.5,
      seed: 1,
    })
    expect([train.map(({ label }) => label), val.map(({ label }) => label)]).toEqual([
      [0, 1],
      [0, 1],
    ])
  })
  test('whole numbers are sorted as numbers, names by code unit', async () => {
    expect((await read('path,label\n1.jpg,10\n2.jpg,9\n3.jpg,-1\n')).classes).toEqual(['-1', '9', '10'])
    expect((await read('path,label\n1.jpg,10\n2.jpg,9\n3.jpg,b\n')).classes).toEqual(['10', '9', 'b'])
  })
  test('tabs', async () => {
    const file = await table('label\tpath\nx\ta,b.jpg\ny\t1.jpg\n', 'data.tsv')
    expect((await readCsvDataset(file, { valFraction: 0 })).train.map(({ path }) => path)).toEqual([
      join(root, 'a,b.jpg'),
      join(root, '1.jpg'),
    ])
  })
  test('a missing file and a folder are samples with a problem', async () => {
    const { train } = await read('path,label\ngone.jpg,a\n.,b\n1.jpg,a\n1.jpg/x,b\n', { valFraction: 0 })
    expect(train.map(({ problem }) => problem?.message.replaceAll(root, ''))).toEqual([
      'cannot read /gone.jpg: there is no such file',
      ' is not a file',
      undefined,
      'cannot read /1.jpg/x: there is no such file',
    ])
  })
  test('any names that are quoted come back', async () => {
    const name = fc
      .string({ unit: 'binary', minLength: 1 })
      .filter((s) => s.trim() === s && !/[\0\ufeff\ufffd]/.test(s))
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(name, { minLength: 2, maxLength: 5 }), async (names) => {
        const quoted = names.map((text, i) => `"p${i}","${text.replaceAll('"', '""')}"`)
        const { classes } = await read(['path,label', ...quoted].join('\n'))
        expect([...classes].sort()).toEqual([...names].sort())
      }),
      { numRuns: 100 },
    )
  })
})

describe('refuses, naming line and column', () => {
  test.each([
    ['', 'data.csv: the file is empty'],
    ['path,label\n', 'data.csv: there is no line but the header'],
    [
      'file,lable\n1,a\n',
      'data.csv has 2 problems:\n  line 1: there is no column "path" (did you mean "file"?)\n  line 1: there is no column "label" (did you mean "lable"?)',
    ],
    ['path,label,path\n', 'data.csv: line 1: the column path is there 2 times'],
    ['path,label\n1.jpg,a\n2.jpg,\n', 'data.csv: line 3, column label: it is empty'],
    ['path,label\n,a\n2.jpg,b\n', 'data.csv: line 2, column path: it is empty'],
    ['path,label\n1.jpg,a\n2.jpg\n', 'data.csv: line 3: 1 fields, but the header has 2'],
    [
      'path,label,split\n1.jpg,a,trian\n2.jpg,b,constructor\n',
      'data.csv has 2 problems:\n  line 2, column split: "trian" is none of train, val, validation, test (did you mean "train"?)\n  line 3, column split: "constructor" is none of train, val, validation, test',
    ],
    ['path,label\n1.jpg,a\n./1.jpg,b\n', 'data.csv: line 3, column label: ./1.jpg is b here and a in line 2'],
    [
      'path,label,split\n1.jpg,a,train\n2.jpg,b,train\n1.jpg,a,val\n',
      'data.csv: line 4, column split: 1.jpg is in val here and in train in line 2',
    ],
    [
      'path,label,split\n1.jpg,a,train\n2.jpg,a,train\n',
      'data.csv: a single class, a: nothing to tell apart',
    ],
    ['path,label,split\n1.jpg,a,test\n2.jpg,b,val\n', 'data.csv: no line is in train'],
    [
      'path,label,split\n1.jpg,a,train\n3.jpg,b,train\n2.jpg,c,val\n4.jpg,c,val\n',
      'data.csv: line 4, column label: val has the class c, which train does not have',
    ],
    ['path,label\n"1.jpg,a\n', 'data.csv: line 2: a quoted field is not closed'],
    [
      `path,label\n1.jpg,${'a'.repeat(2_000_000)}\n`,
      'data.csv: line 2: a line of more than 1048576 characters: this is no table',
    ],
  ])('%j', async (text, expected) => {
    const found = await message(text)
    expect(found).toBe(expected)
  })
  test('what is not UTF-8', async () => {
    expect(await message(Buffer.from('path,label\ncaf\xe9.jpg,a\n1.jpg,b\n', 'latin1'))).toMatch(
      /^data.csv: line 2, column path: .* is not UTF-8$/,
    )
  })
  test('the first 20 of many', async () => {
    const found = await message(`path,label\n${',x\n'.repeat(25)}`)
    expect(found.split('\n')).toHaveLength(22)
    expect(found).toMatch(
      /^data.csv has 25 problems:\n {2}line 2, column path[\s\S]*line 21, [\s\S]*\n {2}and 5 more$/,
    )
  })
  test('a missing file, a folder, a FIFO', async () => {
    await expect(readCsvDataset(join(root, 'no.csv'))).rejects.toThrow(
      /cannot read .*no\.csv: there is no such file/,
    )
    await expect(readCsvDataset(root)).rejects.toThrow(/it is not a file/)
    execFileSync('mkfifo', [join(root, 'fifo.csv')])
    await expect(readCsvDataset(join(root, 'fifo.csv'))).rejects.toThrow(/it is not a file/)
  })
})
