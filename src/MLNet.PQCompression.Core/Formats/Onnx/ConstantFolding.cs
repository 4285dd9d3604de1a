using MLNet.PQCompression.Graph;
using static MLNet.PQCompression.Formats.Onnx.ConstantShapes;

namespace MLNet.PQCompression.Formats.Onnx;

/// <summary>Computes the nodes whose inputs are all constants or sizes. Folded elements are counted against a budget, so that no file grows without bounds.</summary>
internal sealed partial class ConstantFolding(long budget)
{
    private const int DecodedForFolded = 16;

    /// <summary>The most real numbers that are cast to integers: sizes and axes, not weights.</summary>
    private const int MaxCast = 1 << 16;

    private long _budget = budget, _decodedBudget = DecodedForFolded * budget;

    /// <summary>The value as integers, or null if it is not made of them.</summary>
    public static Integers? AsIntegers(OnnxValue value) => value switch
    {
        Integers integers => integers,
        PackedCodes packed => packed.ToIntegers(),
        Constant { Tensor: { } tensor } when !tensor.Type.IsReal() => new(value.Name, tensor.Shape, tensor.ToIntegers()),
        _ => null,
    };

    /// <summary>The folded value, or null if the node is no such node.</summary>
    public OnnxValue? Fold(OnnxNode node)
    {
        if (node.Type == "Shape" && node.Input(0) is Activation)
            return Sizes(node, node.Shape(0).First, node.Shape(0).Second);
        if (node.Type == "ConstantOfShape")
            return Fill(node);
        if (!node.IsConstant)
            return null;
        if (PackedCodes.Match(node) is { } packed)
        {
            Spend(packed.Shape.Count * sizeof(long));
            return packed;
        }
        string name = node.Outputs[0];
        OnnxValue first = node.Input(0);
        return node.Type switch
        {
            "Cast" => Cast(node, first),
            "Shape" => Sizes(node, ShapeOf(first), ShapeOf(first)),
            "Gather" => Gather(node, first),
            "Reshape" => Reshape(node, first, Resolve(node, ShapeOf(first), Target(node))),
            "Unsqueeze" => Reshape(node, first, Unsqueezed(node, ShapeOf(first), node.Ints("axes", 1) ?? throw node.NotConstant(1))),
            "Squeeze" => Reshape(node, first, Squeezed(node, ShapeOf(first), node.Ints("axes", 1))),
            "Transpose" when first is Constant or Lookup or Quantized => Transpose(node, first),
            "MatMul" when AsIntegers(first) is not null => MatrixVector(node, name),
            "Where" => Choose(node),
            "Range" => Range(node),
            _ when IntegerFunction(node.Type) is { } function && AreIntegers(node) => Broadcast(node, name, function),
            _ => Compute(node),
        };
    }

    private OnnxValue Reshape(OnnxNode node, OnnxValue value, TensorShape shape)
    {
        string name = node.Outputs[0];
        switch (value)
        {
            case Constant constant:
                return new Constant(name, new(constant.Tensor.Type, shape, constant.Tensor.Data)) { CastTo = constant.CastTo };
            case Integers integers:
                return integers with { Name = name, Shape = shape };
            case Reals reals:
                return new Reals(name, new(shape, reals.First.ToDense()), new(shape, reals.Second.ToDense()));
            case PackedCodes { Stage: PackedStage.Sums } packed:
                return packed with { Name = name, Shape = shape };
            case PackedCodes packed:
                return packed.ToIntegers() with { Name = name, Shape = shape };
            case Lookup lookup when shape.Rank >= 2 && shape[0] > 0 && lookup.CodesShape.Rank >= 1 && shape[0] == lookup.CodesShape[0]
                && shape.Count / shape[0] % lookup.BlockSize == 0:
                return new Quantized(WeightName(lookup.Name, name), new(shape, lookup.BlockSize, lookup.Codebook, lookup.Codes)) { CastTo = lookup.CastTo };
            default:
                return new Constant(name, Dense(value, shape)) { CastTo = value.CastTo };
        }
    }

    // "X.codebook" belongs to the weight "X", or to "X.weight" where the file left that ending out.
    private static string WeightName(string codebook, string output)
    {
        if (!codebook.EndsWith(OnnxNames.Codebook, StringComparison.Ordinal))
            return output;
        string name = codebook[..^OnnxNames.Codebook.Length];
        return name == output ? name : name + OnnxNames.Weight;
    }

    private OnnxValue Transpose(OnnxNode node, OnnxValue value)
    {
        TensorShape shape = ShapeOf(value);
        long[] permutation = node.Ints("perm") ?? [.. Enumerable.Range(0, shape.Rank).Reverse().Select(i => (long)i)];
        if (permutation.Length != shape.Rank || permutation.Distinct().Count() != shape.Rank || permutation.Any(p => p < 0 || p >= shape.Rank))
            throw new InvalidModelException($"node '{node.Name}' permutes {shape} by [{string.Join(", ", permutation)}]");
        if (value is Quantized quantized && ExchangesFirstTwo(permutation))
            return quantized with { Tensor = quantized.Tensor.Transpose() };
        RawTensor tensor = value is Constant constant ? constant.Tensor : Dense(value, shape);
        int size = tensor.Type.Size();
        Spend(tensor.Data.Length);
        var strides = new long[shape.Rank];
        long stride = 1;
        for (int i = shape.Rank - 1; i >= 0; i--)
            (strides[i], stride) = (stride, stride * shape[i]);
        var result = new byte[tensor.Data.Length];
        var target = new TensorShape([.. permutation.Select(p => shape[(int)p])]);
        for (int i = 0; i < tensor.Count; i++)
        {
            long at = 0, rest = i;
            for (int axis = shape.Rank - 1; axis >= 0; axis--)
            {
                at += rest % target[axis] * strides[permutation[axis]];
                rest /= target[axis];
            }
            tensor.Data.Span.Slice((int)at * size, size).CopyTo(result.AsSpan(i * size));
        }
        return new Constant(node.Outputs[0], new(tensor.Type, target, result)) { CastTo = value.CastTo };
    }

    private static bool ExchangesFirstTwo(long[] permutation)
    {
        bool exchanges = permutation is [1, 0, ..];
        for (int i = 2; exchanges && i < permutation.Length; i++)
            exchanges = permutation[i] == i;
        return exchanges;
    }

    private RawTensor Dense(OnnxValue value, TensorShape shape)
    {
        if (value is not Lookup and not Quantized)
            throw new InvalidModelException($"'{value.Name}' is not made of real numbers");
        Spend(shape.Count * sizeof(float));
        float[] dense;
        if (value is Lookup lookup)
        {
            dense = new float[shape.Count];
            ReadOnlySpan<ushort> codes = lookup.Codes.Wide;
            for (int i = 0; i < codes.Length; i++)
                lookup.Codebook.AsSpan(codes[i] * lookup.BlockSize, lookup.BlockSize).CopyTo(dense.AsSpan(i * lookup.BlockSize));
        }
        else
        {
            dense = ((Quantized)value).Tensor.ToDense().ToArray();
        }
        return new(TensorElementType.Float32, shape, RawTensor.Encode(dense, StorageType.Float32));
    }

    private static OnnxValue Cast(OnnxNode node, OnnxValue value)
    {
        if (!OnnxTensors.TryType(node.Int("to", 0), out TensorElementType to))
            throw node.Unsupported("it casts to a type that is not read");
        node.Int("saturate", 1);
        string name = node.Outputs[0];
        if (to.IsReal())
        {
            // The kept values are those of the file: a codebook stored as float16 stays one.
            if (AsIntegers(value) is not { } integers)
                return value is Constant { Tensor.Type: var own } && own == to ? value : value with { CastTo = to };
            DenseTensor Real(long[] elements) => new(integers.Shape, Array.ConvertAll(elements, v => (float)v));
            return RealValue(name, Real(integers.First), ReferenceEquals(integers.First, integers.Second) ? null : Real(integers.Second));
        }
        if (value is Integers or PackedCodes or Constant { Tensor.Type: > TensorElementType.Float64 })
            return to == TensorElementType.Bool && AsIntegers(value) is { } numbers ? Mapped(numbers with { Name = name }, v => v != 0 ? 1 : 0) : value;
        if (ShapeOf(value).Count > MaxCast)
            throw node.Unsupported("many real numbers are not cast to integers");
        return value switch
        {
            Reals reals => Integers.Of(name, reals.First.Shape, Whole(reals.First.Span), Whole(reals.Second.Span)),
            Constant constant => new Integers(name, constant.Tensor.Shape, Whole(constant.Tensor.ToFloats())),
            _ => throw node.Unsupported("real numbers are not cast to integers"),
        };

        long[] Whole(ReadOnlySpan<float> values)
        {
            var whole = new long[values.Length];
            for (int i = 0; i < whole.Length; i++)
                whole[i] = to == TensorElementType.Bool ? values[i] != 0 ? 1 : 0 : (long)values[i];
            return whole;
        }
    }

    private OnnxValue Gather(OnnxNode node, OnnxValue data)
    {
        OnnxValue indices = node.Input(1);
        TensorShape shape = ShapeOf(data), indexShape = ShapeOf(indices);
        if (shape.Rank == 0 || data is Reals || node.Has("axis") || !(AsIntegers(data) is not null ? shape.Rank == 1 : shape.Rank == 2))
            return Compute(node);
        int rows = shape[0];
        int Row(long index) => index >= -rows && index < rows
            ? (int)(index < 0 ? index + rows : index)
            : throw new InvalidModelException($"node '{node.Name}' looks up row {index} of {rows}");
        Spend(indexShape.Count * sizeof(long));
        if (AsIntegers(data) is { } integers)
        {
            int[] picked = Array.ConvertAll(Indices(), Row);
            return Integers.Of(node.Outputs[0], indexShape, Array.ConvertAll(picked, i => integers.First[i]), Array.ConvertAll(picked, i => integers.Second[i]));
        }
        if (data is not Constant { Tensor: var codebook } || shape.Rank != 2 || rows > 65536 || shape[1] == 0)
            throw node.Unsupported("constants are looked up in a matrix of at most 65536 rows only");
        BlockCodes codes = PackedCodes.CodesOf(indices) ?? new BlockCodes(Array.ConvertAll(Indices(), i => (ushort)Row(i)));
        if (codes.FirstOutside(rows) is >= 0 and var outside)
            Row(outside);
        if (!TensorSize.Fits(codes.Count, shape[1]) || (_decodedBudget -= (long)codes.Count * shape[1] * sizeof(float)) < 0)
            throw new InvalidModelException($"node '{node.Name}' looks up {codes.Count} rows of {shape[1]} values: the weights would take far more memory than the file");
        return new Lookup(data.Name, codebook.ToFloats(), shape[1], indexShape, codes) { CastTo = data.CastTo ?? codebook.Type };

        long[] Indices() => AsIntegers(indices)?.Elements ?? throw node.NotConstant(1);
    }

    private OnnxValue Fill(OnnxNode node)
    {
        Integers sizes = AsIntegers(node.Input(0)) ?? throw node.NotConstant(0);
        RawTensor value = node.Tensor("value") ?? new(TensorElementType.Float32, new(1), new byte[sizeof(float)]);
        if (value.Count != 1)
            throw new InvalidModelException($"node '{node.Name}' fills a tensor with {value.Count} values");
        TensorShape shape = RawTensor.ShapeOf(Settled(node, sizes));
        int bytes = RawTensor.ByteCount(value.Type, shape) ?? throw new InvalidModelException($"node '{node.Name}' makes a tensor of shape {shape}");
        Spend(bytes);
        var data = new byte[bytes];
        for (int i = 0; i < bytes; i += value.Data.Length)
            value.Data.CopyTo(data.AsMemory(i));
        return new Constant(node.Outputs[0], new(value.Type, shape, data));
    }

    private static long[] Settled(OnnxNode node, Integers integers) => integers.Elements.Any(Integers.IsMark)
        ? throw node.Unsupported("it depends on the size of the input")
        : integers.Elements;

    private void Spend(long bytes)
    {
        _budget -= bytes;
        if (_budget < 0)
            throw new InvalidModelException("constant folding would take far more memory than the file");
    }
}
