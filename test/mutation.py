# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""Random damage to bytes, JSON data and ONNX files, from a random.Random."""

NUMBERS = (0, 1, -1, 2, 3, 7, 255, 256, 65535, 65536, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 53,
           2 ** 63, 2 ** 64, 10 ** 30, .5, 1e-300, 1e300, -.0)
TEXTS = ('', 'a', 'coco_18', 'coco_17', 'paf', 'heatmap', 'boxes', 'crop', 'rgb', 'self', 'name',
         'output', 'n' * 5000, '\x1b[31m', '\ud800', '\x00', '../../etc/passwd', '%s%n', '{0}')


def changed_bytes(data, chance):
    """Return bytes of which some are replaced, removed, repeated or moved."""
    data = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        place = chance.randrange(len(data) + 1)
        kind = chance.randrange(6)
        if kind == 0:
            data[place:place + 1] = bytes([chance.randrange(256)])
        elif kind == 1:
            del data[place:place + chance.choice((1, 2, 8, 100))]
        elif kind == 2:
            data[place:place] = data[place:place + chance.choice((1, 8, 100))] * chance.choice(
                (1, 2, 50))
        elif kind == 3:
            data[place:place + 4] = chance.choice((b'\xff' * 4, b'\0' * 4, b'\x7f\xff\xff\xff',
                                                   b'\x80\x80\x80\x80'))
        elif kind == 4:
            data[place:place] = b'\xff' * chance.choice((1, 9, 10)) + b'\x01'
        else:
            del data[place:]
    return bytes(data)


def changed_value(value, chance, depth=0):
    """Return JSON data of which one part is replaced by a hostile one."""
    if isinstance(value, dict) and value and chance.random() < .9:
        value, key = dict(value), chance.choice(sorted(value))
        kind = chance.randrange(12)
        if kind == 0:
            del value[key]
        elif kind == 1:
            value[chance.choice(TEXTS)] = _hostile(chance)
        else:
            value[key] = changed_value(value[key], chance, depth + 1)
        return value
    if isinstance(value, (list, tuple)) and value and chance.random() < .9:
        value, place = list(value), chance.randrange(len(value))
        kind = chance.randrange(10)
        if kind == 0:
            del value[place]
        elif kind == 1:
            value += value[place:place + 1] * chance.choice((1, 300))
        elif kind == 2:
            value[place] = value[chance.randrange(len(value))]
        else:
            value[place] = changed_value(value[place], chance, depth + 1)
        return value
    return _hostile(chance)


def _hostile(chance):
    kind = chance.randrange(8)
    if kind < 3:
        return chance.choice(NUMBERS)
    if kind < 5:
        return chance.choice(TEXTS)
    if kind == 5:
        return chance.choice((None, True, False, float('nan'), float('inf'), -float('inf')))
    return chance.choice(([], {}, [[]], [0, 1], {'type': 'paf'}, [[0, 1, 2]] * 300, [None] * 20))


def changed_model(content, chance):
    """Return an ONNX file of which one field is changed through the onnx package."""
    import onnx
    model = onnx.ModelProto.FromString(content)
    number = int(chance.choice([value for value in NUMBERS if value == int(value)
                                and abs(value) < 2 ** 63]))
    text = chance.choice(TEXTS).encode('utf-8', 'replace').decode()
    kind = chance.randrange(14)
    if kind == 0:
        model.ir_version = number
    elif kind == 1:
        model.opset_import[0].version = number
    elif kind == 2:
        model.opset_import[0].domain = text
    elif kind < 8:
        _change_nodes(model.graph, kind - 3, number, text, chance)
    else:
        _change_values(model.graph, kind - 8, number, text, chance)
    return model.SerializeToString()


def _change_nodes(graph, kind, number, text, chance):
    node, constant = chance.choice(graph.node), chance.choice(graph.initializer)
    if kind == 0:
        node.op_type = text
    elif kind == 1:
        node.input[chance.randrange(len(node.input))] = chance.choice((text, node.output[0]))
    elif kind == 2:
        del graph.node[chance.randrange(len(graph.node))]
    elif kind == 3:
        graph.node.add().CopyFrom(node)
    else:
        constant.dims.append(number)


def _change_values(graph, kind, number, text, chance):
    constant, value = chance.choice(graph.initializer), chance.choice(
        list(graph.input) + list(graph.output))
    tensor, small = value.type.tensor_type, max(-2 ** 31, min(2 ** 31 - 1, number))
    if kind == 0:
        constant.data_type = chance.choice((0, 2, 7, 10, 11, 99, small))
    elif kind == 1:
        tensor.shape.dim[chance.randrange(len(tensor.shape.dim))].dim_value = number
    elif kind == 2:
        tensor.elem_type = chance.choice((0, 2, 7, 8, 9, 10, 11, 99, small))
    elif kind == 3:
        value.name = text
    elif kind == 4:
        constant.data_location = 1  # in another file
        constant.external_data.add(key='location', value=chance.choice(
            (text, 'case.onnx', '/etc/passwd', '/dev/zero')))
        constant.ClearField('raw_data')
    else:
        tensor.shape.dim.add(dim_value=number)
