import {
  addItems,
  appendItems,
  build,
  called,
  type PickleMeaning,
  pairs,
  setItems,
  stackGlobal,
} from './pickleBuild.js'
import { type PickleCursor, pickleCursor, plain } from './pickleCursor.js'
import { PickleGlobal, PickleObject, PickleTuple, type PickleValue } from './pickleValues.js'

/** Steps that no checkpoint takes: a hundred for each of 160,000 tensors. */
const MAX_STEPS = 1 << 24

/**
 * Reads one pickle of protocol 2 to 5 and whatever of 0 and 1 PyTorch writes. It is data alone: names of classes and
 * functions become `PickleGlobal`s, what they would be called with `PickleObject`s, and only `meaning` decides more.
 * @returns the value and where the pickle ends in `bytes`
 * @throws RangeError with what is wrong, on bytes that are no pickle, opcodes that torch.save does not write, and
 * stacks or memos that are not as the pickle says.
 */
export function unpickle(
  bytes: Uint8Array,
  meaning: PickleMeaning,
  start = 0,
): { value: PickleValue; end: number } {
  const cursor = pickleCursor(bytes, start)
  const machine = createMachine()
  for (let steps = 0; steps < MAX_STEPS; steps++) {
    const opcode = cursor.u8()
    if (opcode === STOP) return { value: machine.finish(), end: cursor.position }
    if (
      !(
        pushes(opcode, cursor, machine) ||
        builds(opcode, machine, meaning) ||
        stores(opcode, cursor, machine)
      )
    )
      throw new RangeError(
        `opcode 0x${opcode.toString(16).padStart(2, '0')} is not one that torch.save writes`,
      )
  }
  throw new RangeError(`the pickle has more than ${MAX_STEPS} steps`)
}

const STOP = 0x2e

type Machine = ReturnType<typeof createMachine>

/** The stack with its marks, and the memo. */
function createMachine() {
  let stack: PickleValue[] = []
  const marks: PickleValue[][] = []
  const memo = new Map<number, PickleValue>()
  const pop = (): PickleValue => {
    if (stack.length === 0) throw new RangeError('the stack is empty')
    return stack.pop()!
  }
  const top = (): PickleValue => {
    if (stack.length === 0) throw new RangeError('the stack is empty')
    return stack.at(-1)!
  }
  return {
    push: (value: PickleValue) => void stack.push(value),
    pop,
    top,
    mark() {
      marks.push(stack)
      stack = []
    },
    /** What was pushed since the last mark. */
    popMark(): PickleValue[] {
      const before = marks.pop()
      if (before === undefined) throw new RangeError('there is no mark')
      const items = stack
      stack = before
      return items
    },
    put: (index: number) => void memo.set(index, top()),
    memoize: () => void memo.set(memo.size, top()),
    get(index: number) {
      const value = memo.get(index)
      if (value === undefined) throw new RangeError(`memo ${index} is empty`)
      stack.push(value)
    },
    finish(): PickleValue {
      const value = pop()
      if (stack.length || marks.length) throw new RangeError('the pickle ends with values left on its stack')
      return value
    },
  }
}

/** Opcodes that push a value of their own. */
function pushes(opcode: number, cursor: PickleCursor, { push }: Machine): boolean {
  switch (opcode) {
    case 0x4e: // NONE
      push(null)
      return true
    case 0x88: // NEWTRUE
      push(true)
      return true
    case 0x89: // NEWFALSE
      push(false)
      return true
    case 0x4b: // BININT1
      push(cursor.u8())
      return true
    case 0x4d: // BININT2
      push(cursor.u16())
      return true
    case 0x4a: // BININT
      push(cursor.i32())
      return true
    case 0x8a: // LONG1
      push(cursor.integer(cursor.u8()))
      return true
    case 0x8b: // LONG4
      push(cursor.integer(cursor.u32()))
      return true
    case 0x47: // BINFLOAT
      push(cursor.f64())
      return true
    case 0x8c: // SHORT_BINUNICODE
      push(cursor.text(cursor.u8()))
      return true
    case 0x58: // BINUNICODE
      push(cursor.text(cursor.u32()))
      return true
    case 0x8d: // BINUNICODE8
      push(cursor.text(cursor.length64()))
      return true
    case 0x55: // SHORT_BINSTRING
      push(cursor.latin1(cursor.u8()))
      return true
    case 0x54: // BINSTRING
      push(cursor.latin1(cursor.u32()))
      return true
    case 0x43: // SHORT_BINBYTES
      push(cursor.bytes(cursor.u8()).slice())
      return true
    case 0x42: // BINBYTES
      push(cursor.bytes(cursor.u32()).slice())
      return true
    case 0x8e: // BINBYTES8
    case 0x96: // BYTEARRAY8
      push(cursor.bytes(cursor.length64()).slice())
      return true
    case 0x5d: // EMPTY_LIST
      push([])
      return true
    case 0x7d: // EMPTY_DICT
      push(new Map())
      return true
    case 0x29: // EMPTY_TUPLE
      push(new PickleTuple([]))
      return true
    case 0x8f: // EMPTY_SET
      push(new Set())
      return true
    case 0x63: // GLOBAL
      push(new PickleGlobal(cursor.line(), cursor.line()))
      return true
    case 0x49: // INT
    case 0x4c: // LONG
      push(decimal(cursor.line()))
      return true
    case 0x46: // FLOAT
      push(Number(cursor.line()))
      return true
    default:
      return false
  }
}

/** An integer in digits; `00` and `01` are the booleans of protocol 0. */
function decimal(text: string): PickleValue {
  if (text === '00' || text === '01') return text === '01'
  if (!/^-?\d{1,400}L?$/.test(text)) throw new RangeError('an integer is not written in digits')
  return plain(BigInt(text.replace('L', '')))
}

/** Opcodes that make a value of others. */
function builds(opcode: number, machine: Machine, meaning: PickleMeaning): boolean {
  const { push, pop, popMark, top } = machine
  switch (opcode) {
    case 0x74: // TUPLE
      push(new PickleTuple(popMark()))
      return true
    case 0x85: // TUPLE1
    case 0x86: // TUPLE2
    case 0x87: // TUPLE3
      push(new PickleTuple(Array.from({ length: opcode - 0x84 }, pop).reverse()))
      return true
    case 0x6c: // LIST
      push(popMark())
      return true
    case 0x64: // DICT
      push(new Map(pairs(popMark())))
      return true
    case 0x91: // FROZENSET
      push(new Set(popMark()))
      return true
    case 0x90: // ADDITEMS
      addItems(popMark(), top())
      return true
    case 0x61: // APPEND
      appendItems([pop()], top())
      return true
    case 0x65: // APPENDS
      appendItems(popMark(), top())
      return true
    case 0x73: // SETITEM
      setItems(pairs([pop(), pop()].reverse()), top())
      return true
    case 0x75: // SETITEMS
      setItems(pairs(popMark()), top())
      return true
    case 0x93: {
      // STACK_GLOBAL
      const name = pop()
      push(stackGlobal(pop(), name))
      return true
    }
    case 0x52: // REDUCE
    case 0x81: {
      // NEWOBJ
      const args = pop()
      push(called(pop(), args, meaning))
      return true
    }
    case 0x92: {
      // NEWOBJ_EX
      const [keywords, args] = [pop(), pop()]
      push(new PickleObject(pop(), args, keywords))
      return true
    }
    case 0x62: // BUILD
      build(pop(), top())
      return true
    case 0x51: // BINPERSID
      push(meaning.persistent(pop()))
      return true
    default:
      return false
  }
}

/** Opcodes about the pickle itself, its marks and its memo. */
function stores(opcode: number, cursor: PickleCursor, machine: Machine): boolean {
  switch (opcode) {
    case 0x80: // PROTO
      if (cursor.u8() > 5) throw new RangeError('the pickle is of a protocol above 5')
      return true
    case 0x95: // FRAME
      cursor.length64() // how much to read ahead; all is here
      return true
    case 0x28: // MARK
      machine.mark()
      return true
    case 0x30: // POP
      machine.pop()
      return true
    case 0x31: // POP_MARK
      machine.popMark()
      return true
    case 0x32: // DUP
      machine.push(machine.top())
      return true
    case 0x71: // BINPUT
      machine.put(cursor.u8())
      return true
    case 0x72: // LONG_BINPUT
      machine.put(cursor.u32())
      return true
    case 0x94: // MEMOIZE
      machine.memoize()
      return true
    case 0x68: // BINGET
      machine.get(cursor.u8())
      return true
    case 0x6a: // LONG_BINGET
      machine.get(cursor.u32())
      return true
    default:
      return false
  }
}
