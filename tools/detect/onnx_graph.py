"""A TensorFlow.js graph model as ONNX, for what a convolutional detector is made of.

TensorFlow keeps pictures as N,H,W,C and has exported models transpose all the time;
here every value is kept in whatever order of axes it was made, and transposed only
where an operation needs it."""
import base64
import json
import pathlib

import numpy
from onnx import TensorProto, helper, numpy_helper

NCHW = (0, 3, 1, 2)  # axes of a TensorFlow picture, in ONNX's order
DTYPES = {"float32": numpy.float32, "int32": numpy.int32, "bool": numpy.bool_,
          "uint8": numpy.uint8, "uint16": numpy.uint16, "float16": numpy.float16}


class Value:
    """name: in the ONNX graph; shape: as TensorFlow sees it; axes: axes[i] is the
    TensorFlow axis that lies at place i of the ONNX tensor; pad: to be folded into the
    next convolution, one (before, after) for each TensorFlow axis."""

    def __init__(self, name, shape, axes, pad=None):
        self.name, self.shape, self.axes, self.pad = name, list(shape), tuple(axes), pad


def weights_of(path):
    """Names and arrays of a model.json, dequantised."""
    model = json.loads(path.read_text())
    found = {}
    for group in model["weightsManifest"]:
        data = b"".join((path.parent / p).read_bytes() for p in group["paths"])
        at = 0
        for w in group["weights"]:
            count = int(numpy.prod(w["shape"], dtype=int))
            packed = w.get("quantization")
            stored = DTYPES[packed["dtype"] if packed else w["dtype"]]
            a = numpy.frombuffer(data, stored, count, at)
            at += count * numpy.dtype(stored).itemsize
            if packed and packed["dtype"] != "float16":
                a = a.astype(numpy.float32) * packed["scale"] + packed["min"]
            found[w["name"]] = a.astype(DTYPES[w["dtype"]]).reshape(w["shape"])
        if at != len(data):
            raise ValueError(f"{path}: {len(data) - at} bytes of weights are left over")
    return model, found


def attribute(node, name, default=None):
    a = node.get("attr", {}).get(name, {})
    if "b" in a:
        return a["b"]
    if "s" in a:
        return base64.b64decode(a["s"]).decode()
    for kind in "if":
        if kind in a:
            return float(a[kind]) if kind == "f" else int(a[kind])
        if kind in a.get("list", {}):
            return [int(v) if kind == "i" else float(v) for v in a["list"][kind]]
    return default


def same_padding(size, kernel, stride):
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


class Converter:
    def __init__(self, path, size):
        self.model, self.weights = weights_of(pathlib.Path(path))
        self.size = size  # of the square input
        self.values, self.constants = {}, {}
        self.nodes, self.tensors, self.inputs = [], [], []
        self.count = 0

    # ---- the ONNX side ----

    def fresh(self):
        self.count += 1
        return f"v{self.count}"

    def emit(self, op, inputs, **attributes):
        name = self.fresh()
        self.nodes.append(helper.make_node(op, inputs, [name], **attributes))
        return name

    def tensor(self, array):
        name = self.fresh()
        self.tensors.append(numpy_helper.from_array(numpy.ascontiguousarray(array), name))
        return name

    def ordered(self, value, axes):
        """The ONNX name of that value with its axes in this order."""
        if value.pad:
            raise ValueError("a padded value goes into something that does not pad")
        if value.axes == tuple(axes):
            return value.name
        return self.emit("Transpose", [value.name], perm=[value.axes.index(a) for a in axes])

    # ---- the TensorFlow side ----

    def convert(self):
        nodes = {n["name"]: n for n in self.model["modelTopology"]["node"]}
        outputs = [o["name"].split(":")[0] for o in self.model["signature"]["outputs"].values()]
        for name in self.order(nodes, outputs):
            node = nodes[name]
            inputs = [self.key(i) for i in node.get("input", []) if not i.startswith("^")]
            if node["op"] == "Const":
                self.constants[name] = self.weights[name]
            elif node["op"] != "Placeholder" and all(i in self.constants for i in inputs):
                self.fold(name, node, [self.constants[i] for i in inputs])
            else:
                getattr(self, "do_" + node["op"])(name, node, inputs)
        named = []
        for name in outputs:
            value = self.values[name]
            axes = NCHW if len(value.shape) == 4 else range(len(value.shape))
            out = f"out_{value.shape[1]}_{value.shape[-1]}"
            self.nodes.append(helper.make_node("Identity", [self.ordered(value, axes)], [out]))
            named.append(helper.make_tensor_value_info(out, TensorProto.FLOAT,
                                                       [value.shape[a] for a in axes]))
        graph = helper.make_graph(self.nodes, "detector", self.inputs, named, self.tensors)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)])
        model.ir_version = 7
        return model

    @staticmethod
    def key(text):
        name, _, port = text.partition(":")
        return name if port in ("", "0") else f"{name}:{port}"

    @staticmethod
    def order(nodes, outputs):
        done, result, stack = set(), [], [(o, False) for o in reversed(outputs)]
        while stack:
            name, ready = stack.pop()
            if name in done:
                continue
            if ready:
                done.add(name)
                result.append(name)
                continue
            stack.append((name, True))
            stack += [(i.split(":")[0].lstrip("^"), False)
                      for i in reversed(nodes[name].get("input", []))]
        return result

    def fold(self, name, node, c):
        op = node["op"]
        if op == "SparseToDense":
            dense = numpy.full(c[1].astype(int), c[3], c[2].dtype)
            for place, v in zip(c[0], numpy.broadcast_to(c[2], len(c[0]))):
                dense[tuple(numpy.atleast_1d(place))] = v
            self.constants[name] = dense
        elif op in ("Add", "AddV2"):
            self.constants[name] = c[0] + c[1]
        elif op == "Transpose":
            self.constants[name] = c[0].transpose(c[1])
        elif op == "Identity":
            self.constants[name] = c[0]
        else:
            raise NotImplementedError(f"{op} of constants ({name})")

    def do_Placeholder(self, name, node, inputs):
        shape = [int(d["size"]) for d in node["attr"]["shape"]["shape"]["dim"]]
        self.scale = self.size / max(shape)
        shape = [self.size if v == max(shape) else v for v in shape]
        self.inputs.append(helper.make_tensor_value_info("input", TensorProto.FLOAT, shape))
        self.values[name] = Value("input", shape, range(4))

    def do_Conv2D(self, name, node, inputs):
        x, w = self.values[inputs[0]], self.constants[inputs[1]].astype(numpy.float32)
        stride = attribute(node, "strides")[1:3]
        pad = x.pad or [(0, 0)] * 4
        size = [x.shape[i] + sum(pad[i]) for i in (1, 2)]
        extra = [(0, 0), (0, 0)]
        if attribute(node, "padding") == "SAME":
            extra = [same_padding(size[i], w.shape[i], stride[i]) for i in (0, 1)]
        pads = [pad[i + 1][k] + extra[i][k] for k in (0, 1) for i in (0, 1)]
        groups = x.shape[3] // w.shape[2]
        bare = Value(x.name, x.shape, x.axes)
        out = self.emit("Conv", [self.ordered(bare, NCHW), self.tensor(w.transpose(3, 2, 0, 1))],
                        kernel_shape=w.shape[:2], strides=stride, pads=pads, group=groups)
        shape = [x.shape[0]] + [(size[i] + sum(extra[i]) - w.shape[i]) // stride[i] + 1
                                for i in (0, 1)] + [w.shape[3]]
        self.values[name] = Value(out, shape, NCHW)

    def do_MaxPool(self, name, node, inputs):
        x = self.values[inputs[0]]
        kernel, stride = attribute(node, "ksize")[1:3], attribute(node, "strides")[1:3]
        pad = x.pad or [(0, 0)] * 4
        size = [x.shape[i] + sum(pad[i]) for i in (1, 2)]
        extra = [(0, 0), (0, 0)]
        if attribute(node, "padding") == "SAME":
            extra = [same_padding(size[i], kernel[i], stride[i]) for i in (0, 1)]
        pads = [pad[i + 1][k] + extra[i][k] for k in (0, 1) for i in (0, 1)]
        out = self.emit("MaxPool", [self.ordered(Value(x.name, x.shape, x.axes), NCHW)],
                        kernel_shape=kernel, strides=stride, pads=pads)
        shape = [x.shape[0]] + [(size[i] + sum(extra[i]) - kernel[i]) // stride[i] + 1
                                for i in (0, 1)] + [x.shape[3]]
        self.values[name] = Value(out, shape, NCHW)

    def do_Pad(self, name, node, inputs):
        x = self.values[inputs[0]]
        pad = [tuple(int(v) for v in row) for row in self.constants[inputs[1]]]
        self.values[name] = Value(x.name, x.shape, x.axes, pad)

    do_PadV2 = do_Pad

    def do_Transpose(self, name, node, inputs):
        """Nothing moves: the axes get other names."""
        x, perm = self.values[inputs[0]], [int(v) for v in self.constants[inputs[1]]]
        self.values[name] = Value(x.name, [x.shape[a] for a in perm],
                                  [perm.index(a) for a in x.axes],
                                  [x.pad[a] for a in perm] if x.pad else None)

    def do_Add(self, name, node, inputs):
        first = next(self.values[i] for i in inputs if i in self.values)
        names = []
        for i in inputs:
            if i in self.values:
                names.append(self.ordered(self.values[i], first.axes))
            else:
                c = self.constants[i].astype(numpy.float32)
                if c.ndim:
                    c = c.reshape([1] * (len(first.shape) - c.ndim) + list(c.shape))
                    c = c.transpose(first.axes)
                names.append(self.tensor(c))
        self.values[name] = Value(self.emit("Add", names), first.shape, first.axes)

    do_AddV2 = do_Add

    def alike(self, name, inputs, op, **attributes):
        x = self.values[inputs[0]]
        out = self.emit(op, [x.name], **attributes)
        self.values[name] = Value(out, x.shape, x.axes)

    def do_LeakyRelu(self, name, node, inputs):
        self.alike(name, inputs, "LeakyRelu", alpha=attribute(node, "alpha"))

    def do_Sigmoid(self, name, node, inputs):
        self.alike(name, inputs, "Sigmoid")

    def do_Identity(self, name, node, inputs):
        self.values[name] = self.values[inputs[0]]

    def do_ConcatV2(self, name, node, inputs):
        parts = [self.values[i] for i in inputs[:-1]]
        x, axis = parts[0], int(self.constants[inputs[-1]]) % len(parts[0].shape)
        out = self.emit("Concat", [self.ordered(p, x.axes) for p in parts],
                        axis=x.axes.index(axis))
        shape = list(x.shape)
        shape[axis] = sum(p.shape[axis] for p in parts)
        self.values[name] = Value(out, shape, x.axes)

    def do_SplitV(self, name, node, inputs):
        x, axis = self.values[inputs[0]], int(self.constants[inputs[2]])
        axis %= len(x.shape)
        sizes = [int(v) for v in self.constants[inputs[1]]]
        known = sum(v for v in sizes if v >= 0)
        sizes = [v if v >= 0 else x.shape[axis] - known for v in sizes]
        outs = [self.fresh() for _ in sizes]
        self.nodes.append(helper.make_node("Split", [x.name], outs, axis=x.axes.index(axis),
                                           split=sizes))
        for i, (out, size) in enumerate(zip(outs, sizes)):
            shape = list(x.shape)
            shape[axis] = size
            self.values[f"{name}:{i}" if i else name] = Value(out, shape, x.axes)

    def do_ResizeBilinear(self, name, node, inputs):
        x = self.values[inputs[0]]
        size = [round(int(v) * self.scale) for v in self.constants[inputs[1]]]
        scale = numpy.array([1, 1, size[0] / x.shape[1], size[1] / x.shape[2]], numpy.float32)
        how = ("align_corners" if attribute(node, "align_corners") else
               "half_pixel" if attribute(node, "half_pixel_centers") else "asymmetric")
        out = self.emit("Resize", [self.ordered(x, NCHW), self.tensor(numpy.zeros(0, numpy.float32)),
                                   self.tensor(scale)],
                        mode="linear", coordinate_transformation_mode=how)
        self.values[name] = Value(out, [x.shape[0], *size, x.shape[3]], NCHW)

    def do_Reshape(self, name, node, inputs):
        x = self.values[inputs[0]]
        total = int(numpy.prod(x.shape))
        shape = [int(v) for v in self.constants[inputs[1]]]
        if -1 not in shape and int(numpy.prod(shape)) != total:
            shape[shape.index(max(shape))] = -1  # another size of the input than was exported
        known = int(numpy.prod([v for v in shape if v != -1]))
        shape = [v if v != -1 else total // known for v in shape]
        plain = self.ordered(x, range(len(x.shape)))
        out = self.emit("Reshape", [plain, self.tensor(numpy.array(shape, numpy.int64))])
        self.values[name] = Value(out, shape, range(len(shape)))


def convert(path, size):
    """The model.json at that path as the bytes of an ONNX file."""
    return Converter(path, size).convert().SerializeToString()
