using MLNet.PQCompression.Graph;
using static MLNet.PQCompression.Formats.Onnx.ConstantShapes;

namespace MLNet.PQCompression.Formats.Onnx;

/// <summary>Computes the nodes whose inputs are all constants or sizes. Folded elements are counted against a budget, so that no file grows without bounds.</summary>
internal sealed class ConstantFolding(long budget)
{
    private const int DecodedForFolded = 16;

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
            return SizesOf(node);
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
            "Shape" => throw node.Unsupported("the shape of a constant is not folded"),
            "Gather" => Gather(node, first),
            "Reshape" => Reshape(node, first, Resolve(node, ShapeOf(first), Target(node))),
            "Unsqueeze" => Reshape(node, first, Unsqueezed(node, ShapeOf(first), node.Ints("axes", 1) ?? throw node.NotConstant(1))),
            "Squeeze" => Reshape(node, first, Squeezed(node, ShapeOf(first), node.Ints("axes", 1))),
            "Transpose" => Transpose(node, first),
            "Concat" => Concat(node),
            "Slice" => Slice(node, AsIntegers(first) ?? throw node.Unsupported("only integer constants are sliced")),
            "Add" => Broadcast(node, name, (a, b) => a + b),
            "Sub" => Broadcast(node, name, (a, b) => a - b),
            "Mul" => Broadcast(node, name, (a, b) => a * b),
            "Div" => Broadcast(node, name, (a, b) => b != 0 ? a / b : throw new InvalidModelException($"node '{node.Name}' divides by zero")),
            "Mod" => Broadcast(node, name, (a, b) => b > 0 && a >= 0 ? a % b : throw new InvalidModelException($"node '{node.Name}' takes a remainder of negative numbers")),
            "MatMul" => MatrixVector(node, name),
            _ => throw node.Unsupported("it is not computed for constants"),
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
            case PackedCodes { Weights: not null } packed:
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
        if (value is Quantized quantized && permutation is [1, 0])
            return quantized with { IsTransposed = !quantized.IsTransposed };
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
            dense = ((Quantized)value).ToDense();
        }
        return new(TensorElementType.Float32, shape, RawTensor.Encode(dense, StorageType.Float32));
    }

    private static OnnxValue Cast(OnnxNode node, OnnxValue value)
    {
        if (!OnnxTensors.TryType(node.Int("to", 0), out TensorElementType to))
            throw node.Unsupported("it casts to a type that is not read");
        node.Int("saturate", 1);
        if (to.IsReal())
        {
            // The kept values are those of the file: a codebook stored as float16 stays one.
            if (AsIntegers(value) is not { } integers)
                return value is Constant { Tensor.Type: var own } && own == to ? value : value with { CastTo = to };
            float[] numbers = [.. Settled(node, integers).Select(v => (float)v)];
            return new Constant(node.Outputs[0], new(TensorElementType.Float32, integers.Shape, RawTensor.Encode(numbers, StorageType.Float32)));
        }
        if (to == TensorElementType.Bool)
            throw node.Unsupported("Booleans are not computed");
        return value is Integers or PackedCodes or Constant { Tensor.Type: > TensorElementType.Float64 } ? value : throw node.Unsupported("real numbers are not cast to integers");
    }

    private OnnxValue Gather(OnnxNode node, OnnxValue data)
    {
        OnnxValue indices = node.Input(1);
        TensorShape shape = ShapeOf(data), indexShape = ShapeOf(indices);
        if (node.Axis(node.Int("axis", 0), shape.Rank) != 0)
            throw node.Unsupported("constants are gathered along axis 0 only");
        int rows = shape[0];
        int Row(long index) => index >= -rows && index < rows
            ? (int)(index < 0 ? index + rows : index)
            : throw new InvalidModelException($"node '{node.Name}' looks up row {index} of {rows}");
        Spend(indexShape.Count * sizeof(long));
        if (AsIntegers(data) is { } integers)
            return shape.Rank == 1
                ? new Integers(node.Outputs[0], indexShape, [.. Indices().Select(i => integers.Elements[Row(i)])])
                : throw node.Unsupported("integers are gathered from one dimension only");
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

    private Integers Concat(OnnxNode node)
    {
        Integers[] parts = [.. node.Inputs.Select(i => AsIntegers(i) ?? throw node.Unsupported("only integer constants are joined"))];
        int rank = parts[0].Shape.Rank, axis = node.Axis(node.Int("axis", 0), rank);
        if (parts.Any(p => p.Shape.Rank != rank || p.Shape.With(axis, 0) != parts[0].Shape.With(axis, 0)))
            throw new InvalidModelException($"node '{node.Name}' joins shapes that differ");
        Spend(parts.Sum(p => (long)p.Elements.Length) * sizeof(long));
        int outer = 1;
        for (int i = 0; i < axis; i++)
            outer *= parts[0].Shape[i];
        var elements = new List<long>();
        for (int i = 0; i < outer; i++)
            foreach (Integers part in parts)
                elements.AddRange(part.Elements.AsSpan(i * (part.Elements.Length / outer), part.Elements.Length / outer));
        return new(node.Outputs[0], parts[0].Shape.With(axis, parts.Sum(p => p.Shape[axis])), [.. elements]);
    }

    private static Integers Slice(OnnxNode node, Integers data)
    {
        SliceRange[] ranges = [.. OnnxOperators.Ranges(node, data.Shape.Rank)];
        if (data.Shape.Rank != 1 || ranges.Length != 1)
            throw node.Unsupported("integer constants of one dimension are sliced only");
        (int start, int end) = ShapeInference.Resolve(ranges[0], data.Shape[0]);
        long[] elements = [.. Enumerable.Range(0, data.Shape[0]).Where(i => i >= start && i < end && (i - start) % ranges[0].Step == 0).Select(i => data.Elements[i])];
        return new(node.Outputs[0], new(elements.Length), elements);
    }

    private Integers Broadcast(OnnxNode node, string name, Func<long, long, long> function)
    {
        (Integers? a, Integers? b) = (AsIntegers(node.Input(0)), AsIntegers(node.Input(1)));
        if (a is null || b is null)
            throw node.Unsupported("it is computed for integer constants only");
        var shape = ShapeInference.OutputShape(new(node.Name, new Binary(BinaryFunction.Add), [a.Name, b.Name], name), a.Shape, b.Shape);
        Spend(checked(shape.Count * sizeof(long)));
        var elements = new long[shape.Count];
        int rank = shape.Rank, inner = rank > 0 ? shape[rank - 1] : 1;
        int[] strideA = Strides(a.Shape, rank), strideB = Strides(b.Shape, rank), index = new int[rank];
        (int stepA, int stepB) = rank > 0 ? (strideA[rank - 1], strideB[rank - 1]) : (0, 0);
        int atA = 0, atB = 0;
        for (int start = 0; start < elements.Length; start += inner)
        {
            for (int i = 0; i < inner; i++)
            {
                long x = a.Elements[atA + i * stepA], y = b.Elements[atB + i * stepB];
                elements[start + i] = Integers.IsMark(x) || Integers.IsMark(y) ? Integers.Unknown : function(x, y);
            }
            for (int axis = rank - 2; axis >= 0; axis--)
            {
                (atA, atB) = (atA + strideA[axis], atB + strideB[axis]);
                if (++index[axis] < shape[axis])
                    break;
                (atA, atB) = (atA - strideA[axis] * shape[axis], atB - strideB[axis] * shape[axis]);
                index[axis] = 0;
            }
        }
        return new(name, shape, elements);
    }

    /// <summary>Steps along the dimensions of a broadcast result; 0 where the value is repeated.</summary>
    private static int[] Strides(TensorShape shape, int rank)
    {
        var strides = new int[rank];
        int stride = 1;
        for (int i = 1; i <= shape.Rank; i++)
        {
            strides[rank - i] = shape[shape.Rank - i] == 1 ? 0 : stride;
            stride *= shape[shape.Rank - i];
        }
        return strides;
    }

    // The last dimension weighed and summed: how bit planes of codes are put together.
    private Integers MatrixVector(OnnxNode node, string name)
    {
        (Integers? a, Integers? b) = (AsIntegers(node.Input(0)), AsIntegers(node.Input(1)));
        if (a is null || b is null || a.Shape.Rank < 1 || b.Shape.Rank != 2 || b.Shape[1] != 1 || a.Shape[a.Shape.Rank - 1] != b.Shape[0] || b.Shape[0] == 0)
            throw node.Unsupported("of constants, only integers times a column are multiplied");
        int width = b.Shape[0];
        (long[] left, long[] right) = (Settled(node, a), Settled(node, b));
        var elements = new long[left.Length / width];
        Spend(elements.LongLength * sizeof(long));
        for (int i = 0; i < elements.Length; i++)
            for (int j = 0; j < width; j++)
                elements[i] += left[i * width + j] * right[j];
        return new(name, a.Shape.With(a.Shape.Rank - 1, 1), elements);
    }

    private static Integers SizesOf(OnnxNode node)
    {
        ProbedShape shape = node.Shape(0);
        int start = Bound(node.Int("start", 0), shape.Rank), end = Bound(node.Int("end", shape.Rank), shape.Rank);
        long[] elements = [.. Enumerable.Range(0, shape.Rank).Where(i => i >= start && i < end).Select(i => shape[i])];
        return new(node.Outputs[0], new(elements.Length), elements);
    }

    private static int Bound(long position, int rank) => (int)Math.Clamp(position < 0 ? position + rank : position, 0, rank);

    private Constant Fill(OnnxNode node)
    {
        Integers sizes = AsIntegers(node.Input(0)) ?? throw node.NotConstant(0);
        TensorShape shape = RawTensor.ShapeOf(Settled(node, sizes));
        RawTensor value = node.Tensor("value") ?? new(TensorElementType.Float32, new(1), new byte[sizeof(float)]);
        if (value.Count != 1)
            throw new InvalidModelException($"node '{node.Name}' fills a tensor with {value.Count} values");
        int bytes = RawTensor.ByteCount(value.Type, shape) ?? throw new InvalidModelException($"node '{node.Name}' makes a tensor of shape {shape}");
        Spend(bytes);
        var data = new byte[bytes];
        for (int i = 0; i < bytes; i += value.Data.Length)
            value.Data.CopyTo(data.AsMemory(i));
        return new(node.Outputs[0], new(value.Type, shape, data));
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
