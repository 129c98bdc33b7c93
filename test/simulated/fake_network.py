# Copyright 2026 The pose_ros Authors
# SPDX-License-Identifier: Apache-2.0
"""The simulated network definition and ONNX parser."""
import weakref

from surface import Shaped

WEIGHTED = ('Conv', 'ConvTranspose', 'BatchNormalization', 'InstanceNormalization')
OPSETS = {8: 13, 10: 20, 11: 25}  # newest opset of the parser, by major version (8: that of 8.2)


class INetworkDefinition(Shaped):
    """tensorrt.INetworkDefinition."""

    def __init__(self, flags):
        assert type(flags) is int
        self._flags, self._model, self._layers, self._inputs = flags, None, [], []
        self._parser = None

    @property
    def num_inputs(self):
        return len(self._inputs)

    @property
    def num_layers(self):
        return len(self._layers)

    def get_input(self, index):
        return self._inputs[index]

    def get_layer(self, index):
        return self._layers[index]

    def _is_dynamic(self):
        return any(-1 in tensor.shape for tensor in self._inputs)

    def _has_half(self):
        half, constant = self._trt.DataType.HALF, self._trt.LayerType.CONSTANT
        return any(tensor.dtype == half for layer in self._layers if layer._kind != constant
                   for tensor in layer._outputs)

    def _parser_lives(self):
        return self._parser is not None and self._parser() is not None


class ITensor(Shaped):
    """tensorrt.ITensor."""

    def __init__(self, name, shape, dtype):
        self._facts = name, shape, dtype

    @property
    def name(self):
        return self._facts[0]

    @property
    def shape(self):
        return self._facts[1]

    @property
    def dtype(self):
        return self._facts[2]


class ILayer(Shaped):
    """tensorrt.ILayer."""

    def __init__(self, kind, outputs):
        self._kind, self._outputs = kind, outputs

    @property
    def type(self):
        return self._kind

    @property
    def num_outputs(self):
        return len(self._outputs)

    def get_output(self, index):
        return self._outputs[index]


class ParserError(Shaped):
    """tensorrt.ParserError."""

    def __init__(self, node, text):
        self._node, self._text = node, text

    def code(self):
        return 'ErrorCode.UNSUPPORTED_NODE'

    def desc(self):
        return self._text

    def file(self):
        return 'ModelImporter.cpp'

    def line(self):
        return 151

    def func(self):
        return 'parseGraph'

    def node(self):
        return self._node

    def node_name(self):
        return 'name{}'.format(self._node)

    def node_operator(self):
        return 'Operator{}'.format(self._node)


class OnnxParser(Shaped):
    """tensorrt.OnnxParser."""

    def __init__(self, network, logger):
        self._network, self._logger, self._errors, self._flags = network, logger, [], set()

    def set_flag(self, flag):
        self._flags.add(flag.name)

    @property
    def num_errors(self):
        return len(self._errors)

    def get_error(self, index):
        return self._errors[index]

    def parse(self, model, path=None):
        """Read a model as the version's parser would."""
        import onnx
        if not isinstance(model, bytes):
            raise TypeError('parse(): incompatible function arguments')
        network, trt = self._network, self._trt
        flags = trt.NetworkDefinitionCreationFlag
        major = trt._surface.major
        if major < 10 and network._flags != 1 << flags.EXPLICIT_BATCH.value:
            return self._fail(-1, 'This version of the ONNX parser only supports networks with an '
                                  'explicit batch dimension.')
        try:
            proto = onnx.load_model_from_string(model)
        except Exception:
            return self._fail(-1, 'Failed to parse ONNX model from buffer')
        if proto.opset_import[0].version > OPSETS[major]:
            return self._fail(-1, 'opset {}'.format(proto.opset_import[0].version))
        for number, node in enumerate(proto.graph.node):
            if not onnx.defs.has(node.op_type):  # the domain does not count
                self._fail(number, 'No importer registered for op: ' + node.op_type
                           if major < 11 else 'creator && "Plugin not found, are the plugin name, '
                                              'version, and namespace correct?"')
            if node.op_type == 'InstanceNormalization' and not self._knows_instancenorm():
                self._fail(number, 'no plugin InstanceNormalization_TRT')
        if self._errors:
            return False
        network._model, network._parser = model, weakref.ref(self)
        self._fill(onnx.shape_inference.infer_shapes(proto).graph)
        return True

    def _knows_instancenorm(self):
        if self._trt._surface.has('OnnxParserFlag'):
            return 'NATIVE_INSTANCENORM' in self._flags or self._trt._surface.major >= 10
        return self._trt._settings.plugins

    def _fail(self, node, text):
        self._errors.append(self._trt._kinds['ParserError'](node, text))
        return False

    def _fill(self, graph):
        trt = self._trt
        make, kinds = trt._kinds['ITensor'], trt.LayerType
        constants = {item.name: item.data_type for item in graph.initializer}
        self._network._inputs = [
            make(item.name, tuple(axis.dim_value or -1 for axis in
                                  item.type.tensor_type.shape.dim), trt.DataType.FLOAT)
            for item in graph.input if item.name not in constants]
        types = {item.name: item.type.tensor_type.elem_type
                 for item in list(graph.value_info) + list(graph.output)}
        weights = {name for node in graph.node if node.op_type in WEIGHTED
                   for name in node.input[1:]}
        for name, data_type in constants.items():  # weights of layers are no layers
            if name not in weights:
                dtype = {1: trt.DataType.FLOAT, 10: trt.DataType.HALF}.get(
                    data_type, trt.DataType.INT32)
                self._network._layers.append(trt._kinds['ILayer'](
                    kinds.CONSTANT, [make(name, (), dtype)]))
        for node in graph.node:
            kind = kinds.QUANTIZE if node.op_type == 'QuantizeLinear' else kinds.ACTIVATION
            outputs = [make(name, (), trt.DataType.HALF if types.get(name) == 10 else
                            trt.DataType.FLOAT) for name in node.output]
            self._network._layers.append(trt._kinds['ILayer'](kind, outputs))


CLASSES = [INetworkDefinition, ITensor, ILayer, ParserError, OnnxParser]
