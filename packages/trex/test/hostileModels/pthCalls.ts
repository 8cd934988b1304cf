import { type Case, inert, raw, refused, type Traps, u32 } from './hostileModel.js'
import { call, dict, global, legacy, list, saved, text, tuple } from './pickles.js'

const unknownOpcode = refused(/is not one that torch\.save writes/)

/** Pickles that would run something, in every way that a pickle can. */
export function calls({ marker, port }: Traps): Case[] {
  const touch = text(`touch ${marker}`)
  const code = text(`open(${JSON.stringify(marker)}, 'w')`)
  const url = text(`http://127.0.0.1:${port}/x`)
  const within = (value: Uint8Array) => dict(text('w'), value)
  const system = global('os', 'system')
  const simple: [name: string, value: Uint8Array][] = [
    ['os.system', call(system, touch)],
    ['posix.system', call(global('posix', 'system'), touch)],
    ['nt.system', call(global('nt', 'system'), touch)],
    ['subprocess.Popen', call(global('subprocess', 'Popen'), list(text('touch'), text(marker)))],
    ['builtins.eval', call(global('builtins', 'eval'), code)],
    ['builtins.exec', call(global('builtins', 'exec'), code)],
    ['__builtin__.apply', call(global('__builtin__', 'apply'), system, tuple(touch))],
    ['builtins.open', call(global('builtins', 'open'), text(marker), text('w'))],
    ['builtins.__import__', call(global('builtins', '__import__'), text('antigravity'))],
    [
      'a chain of getattr',
      call(
        call(
          global('builtins', 'getattr'),
          call(global('builtins', '__import__'), text('os')),
          text('system'),
        ),
        touch,
      ),
    ],
    ['functools.partial', call(call(global('functools', 'partial'), system), touch)],
    ['operator.attrgetter', call(call(global('operator', 'attrgetter'), text('system')), touch)],
    ['urllib.request.urlopen', call(global('urllib.request', 'urlopen'), url)],
    [
      'socket.create_connection',
      call(
        global('socket', 'create_connection'),
        tuple(text('127.0.0.1'), raw('M', Uint8Array.of(port & 255, port >> 8))),
      ),
    ],
    ['torch.hub.load_state_dict_from_url', call(global('torch.hub', 'load_state_dict_from_url'), url)],
    ['numpy.load', call(global('numpy', 'load'), text(marker), 'N', '\x88')],
    [
      'numpy.core.multiarray._reconstruct',
      raw(
        call(
          global('numpy.core.multiarray', '_reconstruct'),
          global('numpy', 'ndarray'),
          tuple('K\0'),
          text('b'),
        ),
        touch,
        'b',
      ),
    ],
    ['torch.load of another file', call(global('torch', 'load'), text('/etc/passwd'))],
    ['pickle.loads', call(global('pickle', 'loads'), raw("C\x13cos\nsystem\n(S'x'tR."))],
    ['marshal.loads', call(global('marshal', 'loads'), raw('C\x04abcd'))],
    [
      'types.FunctionType',
      call(call(global('types', 'FunctionType'), call(global('marshal', 'loads'), raw('C\x01a')))),
    ],
    ['runpy.run_path', call(global('runpy', 'run_path'), text(marker))],
    ['shutil.rmtree', call(global('shutil', 'rmtree'), text('/tmp/nothing'))],
    ['pty.spawn', call(global('pty', 'spawn'), text('touch'))],
    ['a global that is a path', call(global('../../../../bin/sh', '-c'), touch)],
    ['a global of Node', call(global('node:child_process', 'execSync'), touch)],
    ['a global constructor', call(global('Function', 'constructor'), code)],
    ['a global __proto__', call(global('__proto__', '__proto__'), touch)],
  ]
  return [
    ...simple.map(([name, value]): Case => [`calls ${name}`, () => saved(within(value)), inert()]),
    ['the root itself is a call', () => saved(call(system, touch)), inert()],
    [
      'STACK_GLOBAL',
      () => saved(within(raw(text('os'), text('system'), '\x93', tuple(touch), 'R'))),
      inert(),
    ],
    ['NEWOBJ', () => saved(within(raw(system, tuple(touch), '\x81'))), inert()],
    [
      'NEWOBJ_EX with keywords',
      () => saved(within(raw(system, ')', dict(text('command'), touch), '\x92'))),
      inert(),
    ],
    [
      'BUILD of a state with __setstate__',
      () => saved(within(raw(call(global('m', 'C')), dict(text('__setstate__'), system), 'b', touch, 'b'))),
      inert(),
    ],
    ['the key of a dict is a call', () => saved(dict(call(system, touch), 'N')), inert()],
    [
      'arguments of a tensor are calls',
      () =>
        saved(
          within(
            call(global('torch._utils', '_rebuild_tensor_v2'), call(system, touch), 'K\0', '))', '\x89', 'N'),
          ),
        ),
      refused(/a tensor is made of something else/),
    ],
    [
      'a storage that is a call',
      () =>
        saved(within(raw(tuple(text('storage'), call(system, touch), text('0'), text('cpu'), 'K\x04'), 'Q'))),
      refused(/a persistent id is that of no storage/),
    ],
    [
      '_rebuild_parameter of a call',
      () =>
        saved(within(call(global('torch._utils', '_rebuild_parameter'), call(system, touch), '\x88', 'N'))),
      inert(),
    ],
    [
      'a tensor subclass',
      () =>
        saved(
          within(call(global('torch._tensor', '_rebuild_from_type_v2'), system, touch, tuple(touch), '}')),
        ),
      inert(),
    ],
    ['INST', () => saved(within(raw('(', touch, 'ios\nsystem\n'))), unknownOpcode],
    ['OBJ', () => saved(within(raw('(', system, touch, 'o'))), unknownOpcode],
    ['EXT1', () => saved(within(raw('\x82\x01', tuple(touch), 'R'))), unknownOpcode],
    ['PERSID in text', () => saved(within(raw('Pfile:///etc/passwd\n'))), unknownOpcode],
    [
      'a module with its source, in an old file',
      () =>
        legacy(within(raw(tuple(text('module'), system, text('m.py'), code), 'Q')), {
          keys: raw(']'),
          tail: '',
        }),
      inert(),
    ],
    [
      'a call in the keys of storages',
      () => legacy(within(call(system, touch)), { keys: call(system, touch), tail: '' }),
      refused(/its storages cannot be read: they have no list/),
    ],
    [
      'a plain pickle of a call',
      () => raw('\x80\x04\x95', u32(40), u32(0), within(call(system, touch)), '.'),
      refused(/is a pickle, but not one of torch\.save/),
    ],
    [
      'a call of a call of a call',
      () => saved(within(Array.from({ length: 150 }).reduce<Buffer>((inner) => call(inner, touch), system))),
      inert(),
    ],
  ]
}
