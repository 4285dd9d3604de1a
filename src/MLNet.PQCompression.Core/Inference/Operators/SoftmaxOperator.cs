using System.Numerics.Tensors;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Inference.Operators;

/// <summary>e^(x − max)/Σe^(x − max) along one dimension, or its logarithm.</summary>
internal static class SoftmaxOperator
{
    private const int AtOnce = 4096;

    public static void Run(int axis, bool logarithm, Activation x, Activation output)
    {
        int size = x.Shape[axis], inner = Strides.Of(x.Shape)[axis];
        ReadOnlySpan<float> source = x.Span;
        Span<float> target = output.Span;
        if (inner == 1 && size > 0)
        {
            AlongRows(size, logarithm, source, target);
            return;
        }
        for (int start = 0; start < source.Length; start += size * inner)
            for (int i = start; i < start + inner; i++)
            {
                float maximum = float.NegativeInfinity;
                for (int j = 0; j < size; j++)
                    maximum = MathF.Max(maximum, source[i + j * inner]);
                double sum = 0;
                if (logarithm)
                {
                    for (int j = 0; j < size; j++)
                        sum += MathF.Exp(source[i + j * inner] - maximum);
                    float shift = (float)(maximum + Math.Log(sum));
                    for (int j = 0; j < size; j++)
                        target[i + j * inner] = source[i + j * inner] - shift;
                    continue;
                }
                for (int j = 0; j < size; j++)
                    sum += target[i + j * inner] = MathF.Exp(source[i + j * inner] - maximum);
                float factor = (float)(1 / sum);
                for (int j = 0; j < size; j++)
                    target[i + j * inner] *= factor;
            }
    }

    /// <summary>Rows that lie one behind the other: exponentials of many at once.</summary>
    private static void AlongRows(int size, bool logarithm, ReadOnlySpan<float> source, Span<float> target)
    {
        int length = Math.Max(1, AtOnce / size) * size;
        float[] exponentials = logarithm ? new float[Math.Min(length, source.Length)] : [];
        for (int start = 0; start < source.Length; start += length)
        {
            ReadOnlySpan<float> x = source.Slice(start, Math.Min(length, source.Length - start));
            Span<float> y = target.Slice(start, x.Length), powers = logarithm ? exponentials.AsSpan(0, x.Length) : y;
            for (int row = 0; row < x.Length; row += size)
            {
                float maximum = float.NegativeInfinity;
                foreach (float value in x.Slice(row, size))
                    maximum = MathF.Max(maximum, value);
                for (int j = row; j < row + size; j++)
                    y[j] = x[j] - maximum;
            }
            TensorPrimitives.Exp(y, powers);
            for (int row = 0; row < x.Length; row += size)
            {
                double sum = 0;
                foreach (float power in powers.Slice(row, size))
                    sum += power;
                Span<float> own = y.Slice(row, size);
                if (logarithm)
                    TensorPrimitives.Subtract(own, (float)Math.Log(sum), own);
                else
                    TensorPrimitives.Multiply(own, (float)(1 / sum), own);
            }
        }
    }
}
