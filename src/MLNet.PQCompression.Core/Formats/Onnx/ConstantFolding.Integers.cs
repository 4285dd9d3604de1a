using MLNet.PQCompression.Graph;
using static MLNet.PQCompression.Formats.Onnx.ConstantShapes;

namespace MLNet.PQCompression.Formats.Onnx;

/// <content>Integers: sizes, axes and codes, exact and for both probing inputs.</content>
internal sealed partial class ConstantFolding
{
    private static bool AreIntegers(OnnxNode node) => node.Inputs.All(i => AsIntegers(i) is not null);

    private static Func<long, long, long>? IntegerFunction(string type) => type switch
    {
        "Add" => (a, b) => a + b,
        "Sub" => (a, b) => a - b,
        "Mul" => (a, b) => a * b,
        "Div" => (a, b) => b != 0 ? a / b : throw new InvalidModelException("a constant is divided by zero"),
        "Mod" => (a, b) => b > 0 && a >= 0 ? a % b : throw new InvalidModelException("a remainder of negative constants is taken"),
        "Equal" => (a, b) => a == b ? 1 : 0,
        "Less" => (a, b) => a < b ? 1 : 0,
        "Greater" => (a, b) => a > b ? 1 : 0,
        "And" => (a, b) => a & b,
        "Or" => (a, b) => a | b,
        "Min" => Math.Min,
        "Max" => Math.Max,
        _ => null,
    };

    private static Integers Mapped(Integers value, Func<long, long> function)
    {
        long[] first = Array.ConvertAll(value.First, v => function(v));
        return value with { First = first, Second = ReferenceEquals(value.First, value.Second) ? first : Array.ConvertAll(value.Second, v => function(v)) };
    }

    private Integers Broadcast(OnnxNode node, string name, Func<long, long, long> function)
    {
        Integers result = AsIntegers(node.Input(0))!;
        for (int i = 1; i < node.InputCount; i++)
            result = Broadcast(node, name, result, AsIntegers(node.Input(i))!, function);
        return result with { Name = name };
    }

    private Integers Broadcast(OnnxNode node, string name, Integers a, Integers b, Func<long, long, long> function)
    {
        TensorShape shape = ShapeInference.OutputShape(new(node.Name, new Binary(BinaryFunction.Add), [a.Name, b.Name], name), a.Shape, b.Shape);
        Spend(checked(shape.Count * sizeof(long)));
        long[] first = Combine(shape, a.First, a.Shape, b.First, b.Shape, function);
        if (ReferenceEquals(a.First, a.Second) && ReferenceEquals(b.First, b.Second))
            return new(name, shape, first);
        Spend(checked(shape.Count * sizeof(long)));
        return Integers.Of(name, shape, first, Combine(shape, a.Second, a.Shape, b.Second, b.Shape, function));
    }

    private static long[] Combine(TensorShape shape, long[] a, TensorShape shapeA, long[] b, TensorShape shapeB, Func<long, long, long> function)
    {
        var elements = new long[shape.Count];
        int rank = shape.Rank, inner = rank > 0 ? shape[rank - 1] : 1;
        int[] strideA = Strides(shapeA, rank), strideB = Strides(shapeB, rank), index = new int[rank];
        (int stepA, int stepB) = rank > 0 ? (strideA[rank - 1], strideB[rank - 1]) : (0, 0);
        int atA = 0, atB = 0;
        for (int start = 0; start < elements.Length; start += inner)
        {
            for (int i = 0; i < inner; i++)
                elements[start + i] = function(a[atA + i * stepA], b[atB + i * stepB]);
            for (int axis = rank - 2; axis >= 0; axis--)
            {
                (atA, atB) = (atA + strideA[axis], atB + strideB[axis]);
                if (++index[axis] < shape[axis])
                    break;
                (atA, atB) = (atA - strideA[axis] * shape[axis], atB - strideB[axis] * shape[axis]);
                index[axis] = 0;
            }
        }
        return elements;
    }

    /// <summary>Where of integers: condition·a + (1 − condition)·b.</summary>
    private Integers Choose(OnnxNode node)
    {
        if (!AreIntegers(node) || node.InputCount != 3)
            throw node.Unsupported("only integer constants are chosen from");
        Integers condition = Mapped(AsIntegers(node.Input(0))!, v => v != 0 ? 1 : 0);
        string name = node.Outputs[0];
        Integers a = Broadcast(node, name, condition, AsIntegers(node.Input(1))!, (c, v) => c * v);
        return Broadcast(node, name, a, Broadcast(node, name, condition, AsIntegers(node.Input(2))!, (c, v) => (1 - c) * v), (p, q) => p + q);
    }

    private Integers Range(OnnxNode node)
    {
        if (!AreIntegers(node) || node.InputCount != 3)
            throw node.Unsupported("only integer constants are counted");
        long[] numbers = [.. node.Inputs.Select(i => Settled(node, AsIntegers(i)!) is [var one] ? one : throw node.NotConstant(0))];
        (long start, long limit, long step) = (numbers[0], numbers[1], numbers[2]);
        Int128 count = step == 0 ? -1 : ((Int128)limit - start + step - Math.Sign(step)) / step;
        if (step == 0 || count > int.MaxValue)
            throw new InvalidModelException($"node '{node.Name}' (Range) counts from {start} to {limit} by {step}");
        Spend((long)Int128.Max(count, 0) * sizeof(long));
        long[] elements = [.. Enumerable.Range(0, (int)Int128.Max(count, 0)).Select(i => start + i * step)];
        return new(node.Outputs[0], new(elements.Length), elements);
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

    private static Integers Sizes(OnnxNode node, TensorShape first, TensorShape second)
    {
        int rank = first.Rank, start = Bound(node.Int("start", 0), rank), end = Math.Max(start, Bound(node.Int("end", rank), rank));
        return Integers.Of(node.Outputs[0], new(end - start), Dimensions(first), Dimensions(second));

        long[] Dimensions(TensorShape shape) => [.. shape.Dimensions[start..end].Select(d => (long)d)];
    }

    private static int Bound(long position, int rank) => (int)Math.Clamp(position < 0 ? position + rank : position, 0, rank);
}
