using System.Numerics.Tensors;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Inference.Operators;

/// <summary>Functions of two values with numpy broadcasting: a dimension of 1 is repeated, by a stride of zero.</summary>
internal static class Broadcasting
{
    public static void Run(BinaryFunction function, Activation a, Activation b, Activation output)
    {
        if (output.Shape.Count == 0)
            return;
        (int[] dimensions, int[] stridesA, int[] stridesB) = Merge(output.Shape, a.Shape, b.Shape);
        int length = dimensions[^1], written = 0;
        bool runA = stridesA[^1] != 0, runB = stridesB[^1] != 0;
        Strides.ForEachRun(dimensions, stridesA, stridesB, 0, 0, (offsetA, offsetB) =>
        {
            Span<float> y = output.Span.Slice(written, length);
            Apply(function, a.Span.Slice(offsetA, runA ? length : 1), b.Span.Slice(offsetB, runB ? length : 1), y);
            written += length;
        });
    }

    /// <summary>y = function(a, b), where a or b may be one value.</summary>
    internal static void Apply(BinaryFunction function, ReadOnlySpan<float> a, ReadOnlySpan<float> b, Span<float> y)
    {
        bool scalarA = a.Length != y.Length, scalarB = b.Length != y.Length;
        if (scalarA && scalarB)
        {
            Apply(function, a, b, y[..1]);
            y.Fill(y[0]);
            return;
        }
        switch (function)
        {
            case BinaryFunction.Add when scalarA:
                TensorPrimitives.Add(b, a[0], y);
                break;
            case BinaryFunction.Add when scalarB:
                TensorPrimitives.Add(a, b[0], y);
                break;
            case BinaryFunction.Add:
                TensorPrimitives.Add(a, b, y);
                break;
            case BinaryFunction.Mul when scalarA:
                TensorPrimitives.Multiply(b, a[0], y);
                break;
            case BinaryFunction.Mul when scalarB:
                TensorPrimitives.Multiply(a, b[0], y);
                break;
            case BinaryFunction.Mul:
                TensorPrimitives.Multiply(a, b, y);
                break;
            case BinaryFunction.Sub when scalarA:
                TensorPrimitives.Subtract(a[0], b, y);
                break;
            case BinaryFunction.Sub when scalarB:
                TensorPrimitives.Subtract(a, b[0], y);
                break;
            case BinaryFunction.Sub:
                TensorPrimitives.Subtract(a, b, y);
                break;
            case BinaryFunction.Div when scalarA:
                TensorPrimitives.Divide(a[0], b, y);
                break;
            case BinaryFunction.Div when scalarB:
                TensorPrimitives.Divide(a, b[0], y);
                break;
            case BinaryFunction.Div:
                TensorPrimitives.Divide(a, b, y);
                break;
            case BinaryFunction.Max when scalarA:
                TensorPrimitives.Max(b, a[0], y);
                break;
            case BinaryFunction.Max when scalarB:
                TensorPrimitives.Max(a, b[0], y);
                break;
            case BinaryFunction.Max:
                TensorPrimitives.Max(a, b, y);
                break;
            case BinaryFunction.Min when scalarA:
                TensorPrimitives.Min(b, a[0], y);
                break;
            case BinaryFunction.Min when scalarB:
                TensorPrimitives.Min(a, b[0], y);
                break;
            case BinaryFunction.Min:
                TensorPrimitives.Min(a, b, y);
                break;
            case BinaryFunction.Pow when scalarB && b[0] == 2:
                TensorPrimitives.Multiply(a, a, y);
                break;
            case BinaryFunction.Pow when scalarB && b[0] == 0.5f:
                TensorPrimitives.Sqrt(a, y);
                break;
            case BinaryFunction.Pow:
                for (int i = 0; i < y.Length; i++)
                    y[i] = MathF.Pow(a[scalarA ? 0 : i], b[scalarB ? 0 : i]);
                break;
            case BinaryFunction.PRelu:
                for (int i = 0; i < y.Length; i++)
                    y[i] = a[scalarA ? 0 : i] is >= 0 and var x ? x : a[scalarA ? 0 : i] * b[scalarB ? 0 : i];
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(function), function, null);
        }
    }

    /// <summary>Output dimensions with each input's strides (0 where it is repeated); neighbours that both inputs walk alike become one.</summary>
    private static (int[] Dimensions, int[] StridesA, int[] StridesB) Merge(TensorShape output, TensorShape a, TensorShape b)
    {
        int[] stridesA = Repeat(output, a), stridesB = Repeat(output, b);
        var merged = new List<(int Size, int A, int B)>();
        for (int i = output.Rank - 1; i >= 0; i--)
        {
            if (output[i] == 1)
                continue;
            (int size, int x, int y) = merged.Count > 0 ? merged[^1] : (1, 0, 0);
            if (merged.Count > 0 && stridesA[i] == x * size && stridesB[i] == y * size)
                merged[^1] = (size * output[i], x, y);
            else
                merged.Add((output[i], stridesA[i], stridesB[i]));
        }
        if (merged.Count == 0)
            merged.Add((1, 0, 0));
        merged.Reverse();
        return ([.. merged.Select(d => d.Size)], [.. merged.Select(d => d.A)], [.. merged.Select(d => d.B)]);
    }

    private static int[] Repeat(TensorShape output, TensorShape input)
    {
        int[] own = Strides.Of(input), strides = new int[output.Rank];
        for (int i = 0; i < input.Rank; i++)
            strides[output.Rank - input.Rank + i] = input[i] == 1 ? 0 : own[i];
        return strides;
    }
}
