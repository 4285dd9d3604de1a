using MLNet.PQCompression.Tests.Formats.Onnx;

namespace MLNet.PQCompression.OnnxRuntime.Tests.Conformance;

/// <summary>Small files around one operator each, over the grid of its attributes and operator sets.</summary>
internal static class OperatorCases
{
    private static readonly SortedDictionary<string, Func<OnnxFile>> All = Collect();

    public static IEnumerable<string> Names => All.Keys;

    public static OnnxFile Make(string name) => All[name]();

    private static SortedDictionary<string, Func<OnnxFile>> Collect()
    {
        var all = new SortedDictionary<string, Func<OnnxFile>>(StringComparer.Ordinal);
        foreach ((string name, Func<OnnxFile> make) in Functions().Concat(TwoOperands()).Concat(Reductions()).Concat(Moves()).Concat(Resizes()).Concat(Layers()).Concat(Idioms()))
            all.Add(name, make);
        return all;
    }

    private static OnnxFile File(int opset, params long[] input) => new(opset, input is [] ? [-1, 6, 9, 10] : input);

    private static IEnumerable<(string, Func<OnnxFile>)> Functions()
    {
        (string, int)[] plain =
        [
            ("Relu", 7), ("Sigmoid", 13), ("Tanh", 13), ("Exp", 13), ("Abs", 13), ("Neg", 13), ("Erf", 13), ("Softplus", 13), ("Softsign", 13), ("Mish", 18),
            ("HardSwish", 14), ("Floor", 13), ("Ceil", 13), ("Round", 13), ("Sign", 13), ("Sin", 13), ("Cos", 13), ("Elu", 7), ("Selu", 7), ("Celu", 12), ("Gelu", 20),
            ("ThresholdedRelu", 10), ("LeakyRelu", 7), ("HardSigmoid", 7),
        ];
        foreach ((string type, int opset) in plain)
            yield return ($"{type} {opset}", () => File(opset).Node(type, "input", "y"));
        foreach (string type in (string[])["Log", "Sqrt", "Reciprocal"])
            yield return (type, () => File(13).Floats("one", [], 1.5f).Node("Abs", "input", "a").Node("Add", "a one", "b").Node(type, "b", "y"));
        foreach (string type in (string[])["Elu", "Selu", "Celu", "ThresholdedRelu", "LeakyRelu", "HardSigmoid"])
            yield return ($"{type} alpha", () => File(12).Node(type, "input", "y", ("alpha", 0.35f)));
        yield return ("Gelu tanh", () => File(20).Node("Gelu", "input", "y", ("approximate", "tanh")));
        yield return ("Clip 6", () => File(7).Node("Clip", "input", "y", ("min", -0.5f), ("max", 0.75f)));
        yield return ("Silu", () => File(13).Node("Sigmoid", "input", "s").Node("Mul", "input s", "y"));
        yield return ("Silu after Conv", () => File(13).Floats("w", [20, 6, 3, 3]).Node("Conv", "input w", "c").Node("Sigmoid", "c", "s").Node("Mul", "s c", "y"));
        foreach (string type in (string[])["HardSwish", "Elu", "Mish", "Sigmoid", "Gelu", "LeakyRelu", "PRelu"])
            yield return ($"{type} after Conv", () =>
            {
                OnnxFile file = File(20).Floats("w", [20, 6, 3, 3]).Floats("slope", [20, 1, 1]).Node("Conv", "input w", "c");
                return file.Node(type, type == "PRelu" ? "c slope" : "c", "a").Node("Add", "a c", "y");
            }
            );
    }

    private static IEnumerable<(string, Func<OnnxFile>)> TwoOperands()
    {
        foreach (string type in (string[])["Add", "Sub", "Mul", "Div", "Max", "Min", "PRelu"])
        {
            foreach (int[] shape in (int[][])[[], [1], [6, 1, 1], [1, 6, 1, 1], [10], [9, 1], [1, 6, 9, 10]])
                yield return ($"{type} constant {string.Join("x", shape)}", () => File(13).Floats("c", shape, Away(shape)).Node("Relu", "input", "a").Node(type, "a c", "b").Node("Add", "b a", "y"));
            if (type != "PRelu")
                yield return ($"{type} constant first", () => File(13).Floats("c", [6, 1, 1]).Floats("two", [], 2.5f).Node("Abs", "input", "a").Node("Add", "a two", "b").Node(type, "c b", "y"));
            yield return ($"{type} gate", () => File(13).Floats("three", [], 3).Node("GlobalMaxPool", "input", "g").Node("Add", "g three", "h").Node(type, "input h", "y"));
            if (type != "PRelu")
                yield return ($"{type} gate first", () => File(13).Floats("three", [], 3).Node("GlobalMaxPool", "input", "g").Node("Abs", "input", "a").Node("Add", "a three", "h").Node(type, "g h", "y"));
        }
        foreach (float power in (float[])[2, 0.5f, 3, -1, 1.7f])
            yield return ($"Pow {power}", () => File(13).Floats("p", [], power).Node("Abs", "input", "a").Floats("c", [], 0.25f).Node("Add", "a c", "b").Node("Pow", "b p", "y"));
        yield return ("Max of three", () => File(13).Node("Neg", "input", "a").Floats("c", [6, 1, 1]).Node("Max", "input a c", "y"));
        yield return ("Min of one", () => File(13).Node("Min", "input", "a").Node("Relu", "a", "y"));
        yield return ("Mean of three", () => File(13).Node("Neg", "input", "a").Node("Exp", "input", "b").Node("Mean", "input a b", "y"));
        yield return ("Sum of three", () => File(8).Node("Neg", "input", "a").Node("Exp", "input", "b").Node("Sum", "input a b", "y"));
    }

    private static IEnumerable<(string, Func<OnnxFile>)> Reductions()
    {
        foreach (string type in (string[])["Mean", "Sum", "Max", "Min", "Prod", "L1", "L2", "SumSquare", "LogSumExp"])
            foreach (int[] axes in (int[][])[[2, 3], [1], [-1], [1, 2, 3], [2]])
                foreach (int keep in (int[])[0, 1])
                    foreach (int opset in (int[])[11, 18])
                        yield return ($"Reduce{type} {string.Join(",", axes)} keep {keep} {opset}", () => opset == 18 || type == "Sum" && opset == 13
                            ? File(opset).Ints("axes", [.. axes.Select(a => (long)a)]).Node($"Reduce{type}", "input axes", "y", ("keepdims", keep))
                            : File(opset).Node($"Reduce{type}", "input", "y", ("axes", axes), ("keepdims", keep)));
        foreach (int axis in (int[])[1, 2, -1])
            foreach (string type in (string[])["Softmax", "LogSoftmax"])
            {
                yield return ($"{type} {axis}", () => File(13).Node(type, "input", "y", ("axis", axis)));
                yield return ($"{type} {axis} joined", () => File(11).Node(type, "input", "y", ("axis", axis)));
            }
    }

    private static IEnumerable<(string, Func<OnnxFile>)> Moves()
    {
        foreach (string mode in (string[])["constant", "reflect", "edge"])
        {
            yield return ($"Pad {mode}", () => File(13).Ints("p", 0, 0, 2, 3, 0, 0, 1, 4).Node("Relu", "input", "a").Node("Pad", "a p", "y", ("mode", mode)));
            yield return ($"Pad {mode} channels", () => File(13).Ints("p", 0, 2, 0, 0, 0, 1, 0, 0).Node("Pad", "input p", "y", ("mode", mode)));
            yield return ($"Pad {mode} cut", () => File(13).Ints("p", 0, 0, -2, 0, 0, -1, 0, 3).Node("Pad", "input p", "y", ("mode", mode)));
        }
        yield return ("Pad axes", () => File(18).Ints("p", 1, 2).Ints("axes", -1).Floats("v", [], 7).Node("Pad", "input p v axes", "y"));
        yield return ("Pad wrap", () => File(19).Ints("p", 0, 0, 2, 3, 0, 0, 1, 4).Node("Pad", "input p", "y", ("mode", "wrap")));
        (string, long[])[] slices =
        [
            ("forward", [1, 5, 2, 1]), ("step", [0, 9, 2, 3]), ("back", [-1, -100, 2, -1]), ("back two", [8, 1, 3, -2]), ("channels", [1, -1, 1, 1]), ("channels back", [5, -7, 1, -2]),
        ];
        foreach ((string name, long[] s) in slices)
            yield return ($"Slice {name}", () => File(13).Ints("a", s[0]).Ints("b", s[1]).Ints("c", s[2]).Ints("d", s[3]).Node("Slice", "input a b c d", "y"));
        yield return ("Slice 1", () => File(7).Node("Slice", "input", "y", ("starts", new[] { 1, 2 }), ("ends", new[] { 5, 1000 }), ("axes", new[] { 1, 3 })));
        foreach (int axis in (int[])[1, 2, -1])
        {
            yield return ($"Gather one {axis}", () => File(13).Scalar("i", -2).Node("Gather", "input i", "y", ("axis", axis)));
            yield return ($"Gather {axis}", () => File(13).Ints("i", 3, 0, -1, 3).Node("Gather", "input i", "y", ("axis", axis)));
            yield return ($"Gather matrix {axis}", () => File(13).Tensor("i", 7, [2, 3], [.. new long[] { 0, 1, 2, 5, 4, 3 }.SelectMany(BitConverter.GetBytes)]).Node("Gather", "input i", "y", ("axis", axis)));
            yield return ($"Concat {axis}", () => File(13).Node("Neg", "input", "a").Node("Concat", "input a input", "y", ("axis", axis)));
        }
        yield return ("Concat constant", () => File(13, 1, 6, 9, 10).Floats("c", [1, 6, 9, 10]).Node("Concat", "input c", "y", ("axis", 1)));
        yield return ("Expand", () => File(13).Ints("s", 1, 6, 9, 10).Node("GlobalAveragePool", "input", "a").Node("Expand", "a s", "y"));
        yield return ("Expand rank", () => File(13, -1, 6, 1, 10).Ints("s", 4, 1).Node("Expand", "input s", "y"));
        yield return ("Tile", () => File(13).Ints("r", 1, 2, 3, 1).Node("Tile", "input r", "y"));
        foreach (string mode in (string[])["DCR", "CRD"])
            yield return ($"DepthToSpace {mode}", () => File(13, -1, 12, 5, 7).Node("DepthToSpace", "input", "y", ("blocksize", 2), ("mode", mode)));
        yield return ("SpaceToDepth", () => File(13, -1, 5, 6, 9).Node("SpaceToDepth", "input", "y", ("blocksize", 3)));
        foreach (int[] permutation in (int[][])[[0, 2, 3, 1], [0, 3, 1, 2], [0, 1, 3, 2]])
            yield return ($"Transpose {string.Join(",", permutation)}", () => File(13).Node("Relu", "input", "a").Node("Transpose", "a", "y", ("perm", permutation)));
        yield return ("Split sizes", () => File(13).Ints("s", 1, 3, 2).Node("Split", "input s", "a b c", ("axis", 1)).Node("Concat", "c a b", "y", ("axis", 1)));
        yield return ("Split even", () => File(18).Node("Split", "input", "a b", ("axis", 3), ("num_outputs", 2)).Node("Mul", "a b", "y"));
    }

    private static IEnumerable<(string, Func<OnnxFile>)> Resizes()
    {
        foreach (string coordinates in (string[])["half_pixel", "pytorch_half_pixel", "asymmetric", "align_corners"])
            foreach (float scale in (float[])[2, 1.5f, 0.4f])
            {
                foreach (string rounding in (string[])["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"])
                    yield return ($"Resize nearest {coordinates} {rounding} {scale}", () => File(13).Floats("s", [4], 1, 1, scale, scale)
                        .Node("Resize", "input - s", "y", ("mode", "nearest"), ("coordinate_transformation_mode", coordinates), ("nearest_mode", rounding)));
                foreach (string mode in (string[])["linear", "cubic"])
                    yield return ($"Resize {mode} {coordinates} {scale}", () => File(13).Floats("s", [4], 1, 1, scale, scale)
                        .Node("Relu", "input", "a").Node("Resize", "a - s", "y", ("mode", mode), ("coordinate_transformation_mode", coordinates)));
            }
        foreach (string mode in (string[])["nearest", "linear", "cubic"])
            yield return ($"Resize sizes {mode}", () => File(11, 2, 6, 9, 10).Floats("empty", [0]).Ints("s", 2, 6, 13, 25).Node("Resize", "input empty empty s", "y", ("mode", mode), ("coordinate_transformation_mode", "half_pixel")));
        yield return ("Resize symmetric", () => File(19).Floats("s", [4], 1, 1, 1.3f, 0.7f).Node("Resize", "input - s", "y", ("mode", "linear"), ("coordinate_transformation_mode", "half_pixel_symmetric")));
        yield return ("Resize axes", () => File(18).Floats("s", [2], 2, 3).Ints("unused", 0).Node("Resize", "input - s", "y", ("mode", "linear"), ("axes", new[] { 2, 3 })));
        foreach (string mode in (string[])["nearest", "linear"])
        {
            yield return ($"Upsample 9 {mode}", () => File(9).Floats("s", [4], 1, 1, 2, 3).Node("Upsample", "input s", "y", ("mode", mode)));
            yield return ($"Resize 10 {mode}", () => File(10).Floats("s", [4], 1, 1, 2, 3).Node("Resize", "input s", "y", ("mode", mode)));
        }
    }

    private static IEnumerable<(string, Func<OnnxFile>)> Layers()
    {
        (string, (string, object)[])[] transposed =
        [
            ("plain", []), ("stride", [("strides", new[] { 2, 2 })]), ("pads", [("strides", new[] { 2, 3 }), ("pads", new[] { 1, 0, 2, 1 })]),
            ("output padding", [("strides", new[] { 2, 2 }), ("pads", new[] { 1, 1, 1, 1 }), ("output_padding", new[] { 1, 1 })]), ("dilated", [("dilations", new[] { 2, 1 })]),
            ("same upper", [("strides", new[] { 2, 2 }), ("auto_pad", "SAME_UPPER")]), ("same lower", [("strides", new[] { 2, 2 }), ("auto_pad", "SAME_LOWER")]),
            ("output shape", [("strides", new[] { 2, 2 }), ("output_shape", new[] { 19, 20 })]),
        ];
        foreach ((string name, (string, object)[] attributes) in transposed)
        {
            yield return ($"ConvTranspose {name}", () => File(11).Floats("w", [6, 5, 3, 3]).Floats("b", [5]).Node("ConvTranspose", "input w b", "a", attributes).Node("Relu", "a", "y"));
            yield return ($"ConvTranspose groups {name}", () => File(11).Floats("w", [6, 5, 3, 3]).Node("ConvTranspose", "input w", "y", [.. attributes, ("group", 2)]));
        }
        foreach ((int group, int outputs) in ((int, int)[])[(1, 20), (2, 20), (3, 9), (6, 6), (6, 18)])
            foreach (int stride in (int[])[1, 2, 3])
                foreach (int dilation in (int[])[1, 2])
                    yield return ($"Conv group {group} outputs {outputs} stride {stride} dilation {dilation}", () => File(11).Floats("w", [outputs, 6 / group, 3, 3]).Floats("b", [outputs])
                        .Node("Conv", "input w b", "a", ("group", group), ("strides", new[] { stride, stride }), ("dilations", new[] { dilation, dilation }), ("pads", new[] { 2, 1, 1, 2 })).Node("Relu", "a", "y"));
        foreach (int kernel in (int[])[1, 5, 7])
            yield return ($"Conv depthwise {kernel}", () => File(11, -1, 40, 14, 15).Floats("w", [40, 1, kernel, kernel])
                .Node("Conv", "input w", "a", ("group", 40), ("pads", new[] { kernel / 2, kernel / 2, kernel / 2, kernel / 2 })).Node("HardSigmoid", "a", "y"));
        foreach (int perGroup in (int[])[4, 8, 16, 24, 32])
            yield return ($"Conv groups of {perGroup}", () => File(11, -1, 4 * perGroup, 7, 9).Floats("w", [4 * perGroup, perGroup, 3, 3])
                .Node("Conv", "input w", "a", ("group", 4), ("pads", new[] { 1, 1, 1, 1 })).Node("Add", "a input", "b").Node("Relu", "b", "y"));
        yield return ("InstanceNormalization", () => File(7).Floats("s", [6]).Floats("b", [6]).Node("InstanceNormalization", "input s b", "y", ("epsilon", 1e-3f)));
        yield return ("GroupNormalization 21", () => File(21).Floats("s", [6]).Floats("b", [6]).Node("GroupNormalization", "input s b", "y", ("num_groups", 3)));
        foreach (int axis in (int[])[1, 2, -1])
            yield return ($"LayerNormalization {axis}", () =>
            {
                int[] shape = axis switch { 1 => [6, 9, 10], 2 => [9, 10], _ => [10] };
                return File(17).Floats("s", shape).Floats("b", shape).Node("LayerNormalization", "input s b", "y", ("axis", axis));
            }
            );
        foreach (int[] shape in (int[][])[[10, 5], [6, 10, 5], [1, 1, 10, 5], [10]])
            yield return ($"MatMul {string.Join("x", shape)}", () => File(13).Floats("w", shape).Node("MatMul", "input w", "y"));
        yield return ("MatMul attention", () => File(13).Node("Transpose", "input", "t", ("perm", new[] { 0, 1, 3, 2 })).Node("MatMul", "t input", "a").Node("Softmax", "a", "y", ("axis", -1)));
        yield return ("MatMul constant first", () => File(13).Floats("w", [4, 9]).Node("MatMul", "w input", "y"));
        yield return ("Lrn", () => File(13).Node("LRN", "input", "y", ("size", 3), ("alpha", 0.3f)));
    }

    private static IEnumerable<(string, Func<OnnxFile>)> Idioms()
    {
        // F.pad of PyTorch from operator set 11 on: pairs from the last dimension on, turned round.
        yield return ("F.pad", () => File(13).Ints("pairs", 1, 2, 3, 0).Ints("four", 4).Ints("none", -1, 2).Ints("minus", -1).Ints("low", -9223372036854775807).Ints("axis", 0).Ints("flat", -1)
            .Node("ConstantOfShape", "four", "zeros", ("value", OnnxFile.Proto("", 7, [1], new byte[8]))).Node("Concat", "pairs zeros", "all", ("axis", 0)).Node("Reshape", "all none", "two")
            .Node("Slice", "two minus low axis minus", "turned").Node("Transpose", "turned", "t", ("perm", new[] { 1, 0 })).Node("Reshape", "t flat", "f").Node("Cast", "f", "p", ("to", 7)).Node("Pad", "input p", "y"));
        yield return ("Squeeze of a batch of 1", () => File(13, 1, 6, 9, 10).Ints("axis", 0).Ints("s", 1, 6, 90).Node("Squeeze", "input axis", "a").Node("Exp", "a", "b").Node("Reshape", "b s", "y"));
        yield return ("Shuffle in three dimensions", () => File(13, 1, 6, 9, 10).Ints("a", 3, 2, 90).Ints("b", 2, -1, 3, 9, 10).Scalar("zero", 0).Scalar("one", 1)
            .Node("Reshape", "input a", "r").Node("Transpose", "r", "t", ("perm", new[] { 1, 0, 2 })).Node("Reshape", "t b", "v").Node("Gather", "v zero", "p").Node("Gather", "v one", "q").Node("Concat", "p q", "y", ("axis", 1)));
        yield return ("Heads", () => File(13).Ints("s", -1, 4).Ints("back", 1, -1, 4).Floats("w", [24, 6, 1, 1]).Node("Conv", "input w", "c").Node("Transpose", "c", "t", ("perm", new[] { 0, 2, 3, 1 }))
            .Node("Reshape", "t s", "r").Node("Softmax", "r", "y", ("axis", -1)));
        yield return ("Sizes scaled", () => File(13, -1, 6, -1, -1).Ints("two", 2).Ints("four", 4).Ints("zero", 0).Floats("scale", [], 2)
            .Node("Shape", "input", "s").Node("Slice", "s zero two", "nc").Node("Slice", "s two four", "hw").Node("Cast", "hw", "real", ("to", 1)).Node("Mul", "real scale", "m")
            .Node("Floor", "m", "f").Node("Cast", "f", "i", ("to", 7)).Node("Concat", "nc i", "sizes", ("axis", 0)).Node("Resize", "input - - sizes", "y", ("mode", "nearest"), ("coordinate_transformation_mode", "asymmetric")));
        yield return ("Size of another", () => File(13, -1, 6, -1, -1).Ints("two", 2).Ints("four", 4).Ints("zero", 0)
            .Node("MaxPool", "input", "small", ("kernel_shape", new[] { 2, 2 }), ("strides", new[] { 2, 2 })).Node("Shape", "input", "s").Node("Slice", "s two four", "hw")
            .Node("Shape", "small", "t").Node("Slice", "t zero two", "nc").Node("Concat", "nc hw", "sizes", ("axis", 0)).Node("Resize", "small - - sizes", "b", ("mode", "linear")).Node("Add", "b input", "y"));
        yield return ("Expand as torch does", () => File(13).Ints("four", 4).Ints("given", -1, 6, 9, 10).Ints("minus", -1)
            .Node("GlobalAveragePool", "input", "a").Node("ConstantOfShape", "four", "ones", ("value", OnnxFile.Proto("", 7, [1], [1, 0, 0, 0, 0, 0, 0, 0])))
            .Node("Mul", "ones minus", "m").Node("Equal", "given m", "e").Node("Where", "e ones given", "s").Node("Expand", "a s", "y"));
        yield return ("Weights computed from constants", () => File(13).Floats("v", [6, 20, 3, 3]).Floats("g", [20, 1, 1, 1]).Node("Transpose", "v", "t", ("perm", new[] { 1, 0, 2, 3 })).Node("Mul", "t g", "m")
            .Ints("axes", 1, 2, 3).Node("ReduceL2", "t", "n", ("axes", new[] { 1, 2, 3 })).Node("Div", "m n", "w").Node("Identity", "w", "i").Node("Conv", "input i", "y"));
        yield return ("Swin window", () => File(13, 1, 6, 8, 8).Ints("a", 1, 6, 2, 4, 2, 4).Ints("b", -1, 16, 6).Node("Reshape", "input a", "r").Node("Transpose", "r", "t", ("perm", new[] { 0, 2, 4, 3, 5, 1 })).Node("Reshape", "t b", "w").Node("Softmax", "w", "y", ("axis", 1)));
    }

    private static float[] Away(int[] shape) => [.. OnnxFile.Ramp(shape).Select(v => v == 0 ? 0.6f : v)];
}
