using System.Collections.Immutable;
using MLNet.PQCompression.Formats.Onnx.Schema;
using MLNet.PQCompression.Graph;
using static MLNet.PQCompression.Formats.Onnx.OnnxEmitter;

namespace MLNet.PQCompression.Formats.Onnx;

/// <summary>Writes an operator in the form of an operator set: what newer sets take as inputs becomes shared constants, defaults are left out.</summary>
internal sealed class OnnxNodeWriter(OnnxEmitter emitter, int opset)
{
    /// <summary>Writes the node and returns the name of what it makes.</summary>
    public string Write(Node node, string[] inputs, string? output, string? name)
    {
        if (node.Operator is Unary { Function: UnaryFunction.HardSwish } && opset < 14)
        {
            string gate = emitter.Add("HardSigmoid", inputs, [Attribute("alpha", 1f / 6), Attribute("beta", 0.5f)]);
            return emitter.Add("Mul", [inputs[0], gate], output: output, name: name);
        }
        if (node.Operator is Unary { Function: UnaryFunction.Mish } && opset < 18)
            return emitter.Add("Mul", [inputs[0], emitter.Add("Tanh", [emitter.Add("Softplus", inputs)])], output: output, name: name);
        if (node.Operator is MatMul && inputs.Length > 2)
            return emitter.Add("Add", [emitter.Add("MatMul", inputs[..2], name: name), inputs[2]], output: output);
        if (node.Operator is Gelu && opset < 20)
            return Gelu(inputs[0], ((Gelu)node.Operator).Tanh, output, name);
        Require(node, node.Operator is LayerNormalization, 17);
        Require(node, node.Operator is Pad { Mode: PadMode.Wrap } or Resize { Coordinates: ResizeCoordinates.HalfPixelSymmetric }, 19);
        if (node.Operator is Resize { Coordinates: ResizeCoordinates.TfHalfPixelForNn } && opset > 12)
            throw new UnsupportedOperatorException("Resize", node.Name, $"tf_half_pixel_for_nn ended with operator set 12; {opset} is to be written");
        return emitter.Add(node.Operator.OnnxName, [.. inputs, .. Constants(node.Operator)], [.. Attributes(node)], output, name);
    }

    private void Require(Node node, bool isNew, int least)
    {
        if (isNew && opset < least)
            throw new UnsupportedOperatorException(node.Operator.OnnxName, node.Name, $"it needs operator set {least}, not {opset}");
    }

    /// <summary>x·(½ + ½·erf(x/√2)), or x·(½ + ½·tanh(√(2/π)·(x + 0.044715·x³))).</summary>
    private string Gelu(string x, bool tanh, string? output, string? name)
    {
        string Times(string a, float factor) => emitter.Add("Mul", [a, emitter.Shared(factor)]);
        string inner = tanh
            ? emitter.Add("Tanh", [Times(emitter.Add("Add", [x, Times(emitter.Add("Mul", [x, emitter.Add("Mul", [x, x])]), 0.044715f)]), 0.79788456f)])
            : emitter.Add("Erf", [Times(x, 0.70710678f)]);
        return emitter.Add("Mul", [x, emitter.Add("Add", [Times(inner, 0.5f), emitter.Shared(0.5f)])], output: output, name: name);
    }

    private IEnumerable<string> Constants(Operator operation) => operation switch
    {
        Clip clip => [emitter.Shared(clip.Minimum), emitter.Shared(clip.Maximum)],
        Reshape reshape => [emitter.Shared([.. Wide(reshape.Shape)])],
        Pad pad => [emitter.Shared([.. Wide(pad.Before), .. Wide(pad.After)]), .. pad.Value != 0 ? (string[])[emitter.Shared(pad.Value)] : []],
        Slice slice =>
        [
            emitter.Shared([.. slice.Ranges.Select(r => (long)r.Start)]), emitter.Shared([.. slice.Ranges.Select(r => (long)r.End)]),
            emitter.Shared([.. slice.Ranges.Select(r => (long)r.Axis)]), emitter.Shared([.. slice.Ranges.Select(r => (long)r.Step)]),
        ],
        Reduce reduce when AxesAreAnInput(reduce) => [emitter.Shared([.. Wide(reduce.Axes)])],
        Gather { DropsAxis: true } gather => [emitter.Shared(TensorElementType.Int64, new(), gather.Indices[0])],
        Gather gather => [emitter.Shared([.. Wide(gather.Indices)])],
        Expand expand => [emitter.Shared([.. Wide(expand.Shape)])],
        Tile tile => [emitter.Shared([.. Wide(tile.Repeats)])],
        // Before operator set 13 the region of interest and the scales had to be there, if empty.
        Resize { Sizes.Length: 0 } resize => [opset < 13 ? emitter.Shared(ReadOnlySpan<float>.Empty) : "", emitter.Shared(resize.Scales.AsSpan())],
        Resize resize when opset < 13 => [emitter.Shared(ReadOnlySpan<float>.Empty), emitter.Shared(ReadOnlySpan<float>.Empty), emitter.Shared([.. Wide(resize.Sizes)])],
        Resize resize => ["", "", emitter.Shared([.. Wide(resize.Sizes)])],
        _ => [],
    };

    private IEnumerable<AttributeProto> Attributes(Node node) => node.Operator switch
    {
        Conv conv => [.. Sliding(conv.Window), .. Unless(conv.Group, 1, "group")],
        MaxPool pool => [Kernel(pool.Window), .. Sliding(pool.Window), .. Unless(pool.CeilMode, "ceil_mode")],
        AveragePool { Window: { DilationY: > 1 } or { DilationX: > 1 } } when opset < 19 =>
            throw new UnsupportedOperatorException("AveragePool", node.Name, $"dilations need operator set 19, not {opset}"),
        AveragePool pool =>
        [
            Kernel(pool.Window), .. Sliding(pool.Window), .. Unless(pool.CeilMode, "ceil_mode"), .. Unless(pool.CountIncludePad, "count_include_pad"),
        ],
        BatchNormalization norm => Unless(norm.Epsilon, 1e-5f, "epsilon"),
        Gemm gemm =>
        [
            .. Unless(gemm.Alpha, 1, "alpha"), .. Unless(gemm.Beta, 1, "beta"),
            .. Unless(gemm.TransposeA, "transA"), .. Unless(gemm.TransposeB, "transB"),
        ],
        HardSigmoid hard => [.. Unless(hard.Alpha, 0.2f, "alpha"), .. Unless(hard.Beta, 0.5f, "beta")],
        LeakyRelu leaky => Unless(leaky.Alpha, 0.01f, "alpha"),
        Concat concat => [Attribute("axis", concat.Axis)],
        ConvTranspose conv =>
        [
            .. Sliding(conv.Window), .. Unless(conv.Group, 1, "group"),
            .. (conv.ExtraHeight, conv.ExtraWidth) == (0, 0) ? (AttributeProto[])[] : [ListAttribute("output_padding", conv.ExtraHeight, conv.ExtraWidth)],
        ],
        InstanceNormalization norm => Unless(norm.Epsilon, 1e-5f, "epsilon"),
        LayerNormalization norm => [.. Unless(norm.Axis, -1, "axis"), .. Unless(norm.Epsilon, 1e-5f, "epsilon")],
        ThresholdedRelu threshold => Unless(threshold.Alpha, 1, "alpha"),
        Elu elu => Unless(elu.Alpha, 1, "alpha"),
        Selu selu => [Attribute("alpha", selu.Alpha), Attribute("gamma", selu.Gamma)],
        Celu celu => Unless(celu.Alpha, 1, "alpha"),
        Gelu gelu => gelu.Tanh ? [TextAttribute("approximate", "tanh")] : [],
        Pad { Mode: not PadMode.Constant } pad => [TextAttribute("mode", pad.Mode.ToString().ToLowerInvariant())],
        Gather gather => Unless(gather.Axis, 0, "axis"),
        DepthToSpace space => [Attribute("blocksize", space.BlockSize), .. space.ColumnsFirst ? (AttributeProto[])[TextAttribute("mode", "CRD")] : []],
        SpaceToDepth depth => [Attribute("blocksize", depth.BlockSize)],
        Resize resize => Sampling(resize),
        LogSoftmax softmax => [Attribute("axis", softmax.Axis)],
        Reduce reduce => [.. AxesAreAnInput(reduce) ? (AttributeProto[])[] : [ListAttribute("axes", reduce.Axes.AsSpan())], .. Unless(reduce.KeepDimensions ? 1 : 0, 1, "keepdims")],
        Flatten flatten => Unless(flatten.Axis, 1, "axis"),
        Transpose transpose => [ListAttribute("perm", transpose.Permutation.AsSpan())],
        Softmax softmax => [Attribute("axis", softmax.Axis)],
        Lrn lrn =>
        [
            Attribute("size", lrn.Size), .. Unless(lrn.Alpha, 1e-4f, "alpha"), .. Unless(lrn.Beta, 0.75f, "beta"), .. Unless(lrn.Bias, 1, "bias"),
        ],
        _ => [],
    };

    private bool AxesAreAnInput(Reduce reduce) => opset >= (reduce.Function == ReduceFunction.Sum ? 13 : 18);

    private static IEnumerable<AttributeProto> Sampling(Resize resize)
    {
        yield return TextAttribute("mode", resize.Mode.ToString().ToLowerInvariant());
        yield return TextAttribute("coordinate_transformation_mode", SnakeCase($"{resize.Coordinates}"));
        if (resize.Mode == Interpolation.Nearest)
            yield return TextAttribute("nearest_mode", SnakeCase($"{resize.Rounding}"));
        if (resize.Mode == Interpolation.Cubic)
            yield return Attribute("cubic_coeff_a", resize.CubicA);
    }

    private static string SnakeCase(string name) => string.Concat(name.Select((c, i) => char.IsUpper(c) ? (i > 0 ? "_" : "") + char.ToLowerInvariant(c) : $"{c}"));

    private static AttributeProto Kernel(Window window) => ListAttribute("kernel_shape", window.KernelHeight, window.KernelWidth);

    private static IEnumerable<AttributeProto> Sliding(Window w)
    {
        if ((w.StrideY, w.StrideX) != (1, 1))
            yield return ListAttribute("strides", w.StrideY, w.StrideX);
        if ((w.PadTop, w.PadLeft, w.PadBottom, w.PadRight) != (0, 0, 0, 0))
            yield return ListAttribute("pads", w.PadTop, w.PadLeft, w.PadBottom, w.PadRight);
        if ((w.DilationY, w.DilationX) != (1, 1))
            yield return ListAttribute("dilations", w.DilationY, w.DilationX);
    }

    private static AttributeProto[] Unless(int value, int usual, string name) => value == usual ? [] : [Attribute(name, value)];

    private static AttributeProto[] Unless(float value, float usual, string name) => value == usual ? [] : [Attribute(name, value)];

    private static AttributeProto[] Unless(bool value, string name) => value ? [Attribute(name, 1)] : [];

    private static IEnumerable<long> Wide(ImmutableArray<int> values) => values.Select(v => (long)v);
}
