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
        return emitter.Add(node.Operator.OnnxName, [.. inputs, .. Constants(node.Operator)], [.. Attributes(node)], output, name);
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
        ReduceMean mean when opset >= 18 => [emitter.Shared([.. Wide(mean.Axes)])],
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
        ReduceMean mean => [.. opset < 18 ? (AttributeProto[])[ListAttribute("axes", mean.Axes.AsSpan())] : [], .. Unless(mean.KeepDimensions ? 1 : 0, 1, "keepdims")],
        Flatten flatten => Unless(flatten.Axis, 1, "axis"),
        Transpose transpose => [ListAttribute("perm", transpose.Permutation.AsSpan())],
        Softmax softmax => [Attribute("axis", softmax.Axis)],
        Lrn lrn =>
        [
            Attribute("size", lrn.Size), .. Unless(lrn.Alpha, 1e-4f, "alpha"), .. Unless(lrn.Beta, 0.75f, "beta"), .. Unless(lrn.Bias, 1, "bias"),
        ],
        _ => [],
    };

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
