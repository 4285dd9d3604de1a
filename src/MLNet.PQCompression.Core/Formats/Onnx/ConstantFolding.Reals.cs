using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;
using static MLNet.PQCompression.Formats.Onnx.ConstantShapes;

namespace MLNet.PQCompression.Formats.Onnx;

/// <content>Operators of which every output element takes few steps, computed for constants by the kernels of inference.</content>
internal sealed partial class ConstantFolding
{
    /// <summary>Up to here float32 holds every integer.</summary>
    private const long ExactIntegers = 1 << 24;

    /// <summary>What the node makes of real constants, or of integers that it only moves, compares or sums.</summary>
    private OnnxValue Compute(OnnxNode node)
    {
        bool whole = node.InputCount > 0 && AsIntegers(node.Input(0)) is not null;
        Operator operation = OnnxOperators.Translate(node, out int read);
        if (operation is not (PointwiseOperator or Binary or Reduce or Concat or Pad or Slice or Flatten or Graph.Reshape or Graph.Gather or Graph.Transpose or Expand or Tile))
            throw node.Unsupported("it is not computed for constants");
        OnnxValue[] inputs = [.. node.Inputs.Take(read)];
        string name = node.Outputs[0];
        DenseTensor first = Evaluate(node, operation, [.. inputs.Select(i => AsReal(node, i, first: true))]);
        DenseTensor? second = inputs.Any(Varies) ? Evaluate(node, operation, [.. inputs.Select(i => AsReal(node, i, first: false))]) : null;
        if (!whole)
            return RealValue(name, first, second);
        long[] elements = Whole(first);
        return second is null ? new Integers(name, first.Shape, elements) : Integers.Of(name, first.Shape, elements, Whole(second));

        static long[] Whole(DenseTensor tensor) => Array.ConvertAll(tensor.Span.ToArray(), v => (long)v);
    }

    private DenseTensor Evaluate(OnnxNode node, Operator operation, DenseTensor[] inputs)
    {
        var names = inputs.Select((_, i) => $"{i}").ToArray();
        TensorShape shape = ShapeInference.OutputShape(new(node.Name, operation, [.. names], node.Outputs[0]), [.. inputs.Select(i => i.Shape)]);
        Spend(checked(shape.Count * sizeof(float)));
        var output = new Inference.Activation(shape);
        NodeEvaluator.Compute(operation, [.. inputs.Select(i => new Inference.Activation(i.Shape, i.ToDense().ToArray()))], output, null);
        return new(shape, output.Memory);
    }

    /// <summary>Whether a value depends on the input.</summary>
    private static bool Varies(OnnxValue value) => value is Reals || value is Integers integers && !ReferenceEquals(integers.First, integers.Second);

    private DenseTensor AsReal(OnnxNode node, OnnxValue value, bool first)
    {
        switch (value)
        {
            case Reals reals:
                return first ? reals.First : reals.Second;
            case Constant { Tensor: { Type: var type } tensor } when type.IsReal():
                Spend(tensor.Count * sizeof(float));
                return tensor.ToDense();
            case Lookup or Quantized:
                return Dense(value, ShapeOf(value)).ToDense();
        }
        Integers integers = AsIntegers(value) ?? throw node.Unsupported("it is not computed for constants of this type");
        long[] elements = first ? integers.First : integers.Second;
        Spend(elements.LongLength * sizeof(float));
        return Array.TrueForAll(elements, v => v is >= -ExactIntegers and <= ExactIntegers)
            ? new(integers.Shape, Array.ConvertAll(elements, v => (float)v))
            : throw node.Unsupported("its integers are too large to be computed");
    }

    private static OnnxValue RealValue(string name, DenseTensor first, DenseTensor? second) =>
        second is null || first.Shape == second.Shape && first.Span.SequenceEqual(second.Span)
            ? new Constant(name, new(TensorElementType.Float32, first.Shape, RawTensor.Encode(first.Span, StorageType.Float32)))
            : new Reals(name, first, second);
}
