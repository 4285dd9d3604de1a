using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Inference.Operators;

/// <summary>Along one dimension, the input positions that an output position is made of, and their weights.</summary>
/// <param name="Taps">Input positions for each output position.</param>
/// <param name="Positions">[outputs, Taps], within the input.</param>
/// <param name="Weights">[outputs, Taps].</param>
internal sealed record ResizeTaps(int Taps, int[] Positions, float[] Weights)
{
    /// <summary>Works out a dimension.</summary>
    public static ResizeTaps Of(Resize resize, int axis, int size, int outputs)
    {
        int taps = size == outputs && resize.Scale(axis, size) == 1 ? 1 : resize.Mode switch { Interpolation.Nearest => 1, Interpolation.Linear => 2, _ => 4 };
        var result = new ResizeTaps(taps, new int[checked(outputs * taps)], new float[outputs * taps]);
        for (int i = 0; i < outputs; i++)
            result.Set(resize, i, Coordinate(resize, axis, size, outputs, i), size);
        return result;
    }

    private void Set(Resize resize, int output, float position, int size)
    {
        Span<int> positions = Positions.AsSpan(output * Taps, Taps);
        Span<float> weights = Weights.AsSpan(output * Taps, Taps);
        if (Taps == 1)
        {
            (positions[0], weights[0]) = (Math.Clamp(resize.Mode == Interpolation.Nearest ? Nearest(resize.Rounding, position) : (int)position, 0, size - 1), 1);
            return;
        }
        if (Taps == 2)
            position = Math.Clamp(position, 0, size - 1);
        int first = (int)MathF.Floor(position);
        float t = position - first, a = resize.CubicA;
        if (Taps == 2)
            (weights[0], weights[1]) = (1 - t, t);
        else
        {
            (first, float u) = (first - 1, 1 - t);
            (weights[0], weights[1]) = (((a * (t + 1) - 5 * a) * (t + 1) + 8 * a) * (t + 1) - 4 * a, ((a + 2) * t - (a + 3)) * t * t + 1);
            (weights[2], weights[3]) = (((a + 2) * u - (a + 3)) * u * u + 1, ((a * (u + 1) - 5 * a) * (u + 1) + 8 * a) * (u + 1) - 4 * a);
        }
        for (int i = 0; i < Taps; i++)
            positions[i] = Math.Clamp(first + i, 0, size - 1);
    }

    private static int Nearest(ResizeRounding rounding, float x) => rounding switch
    {
        ResizeRounding.RoundPreferFloor => x == MathF.Truncate(x) + 0.5f ? (int)MathF.Floor(x) : (int)MathF.Round(x, MidpointRounding.AwayFromZero),
        ResizeRounding.RoundPreferCeil => (int)MathF.Round(x, MidpointRounding.AwayFromZero),
        ResizeRounding.Floor => (int)MathF.Floor(x),
        _ => (int)MathF.Ceiling(x),
    };

    private static float Coordinate(Resize resize, int axis, int size, int outputs, int i)
    {
        float scale = resize.Scale(axis, size);
        if (scale == 1 && size == outputs)
            return i;
        switch (resize.Coordinates)
        {
            case ResizeCoordinates.Asymmetric:
                return i / scale;
            case ResizeCoordinates.AlignCorners:
                return outputs == 1 ? 0 : (float)i * (size - 1) / (outputs - 1);
            case ResizeCoordinates.PytorchHalfPixel when outputs == 1:
                return 0;
            case ResizeCoordinates.TfHalfPixelForNn:
                return (i + 0.5f) / scale;
            case ResizeCoordinates.HalfPixelSymmetric:
                float adjustment = outputs / (scale * size), center = size / 2f;
                return center * (1 - adjustment) + (i + 0.5f) / scale - 0.5f;
            default:
                return (i + 0.5f) / scale - 0.5f;
        }
    }
}

/// <summary>Resize, one dimension after the other, those that shrink first, so that nothing in between is larger than the input or the output; else the outermost first.</summary>
internal static class Resampling
{
    public static void Run(Resize resize, Activation x, Activation output, WorkerPool? pool)
    {
        TensorShape from = x.Shape, to = output.Shape;
        int[] axes = [.. Enumerable.Range(0, from.Rank).Where(i => Changes(resize, i, from[i], to[i])).OrderBy(i => to[i] > from[i])]; // What grows comes last.
        if (axes.Length == 0)
            x.Span.CopyTo(output.Span);
        Activation current = x;
        foreach (int axis in axes)
        {
            Activation next = axis == axes[^1] ? output : new Activation(current.Shape.With(axis, to[axis]));
            Sample(ResizeTaps.Of(resize, axis, from[axis], to[axis]), axis, current, next, pool);
            current = next;
        }
    }

    private static bool Changes(Resize resize, int axis, int size, int outputs) => size != outputs || resize.Scale(axis, size) != 1;

    private static void Sample(ResizeTaps taps, int axis, Activation x, Activation y, WorkerPool? pool)
    {
        int size = x.Shape[axis], outputs = y.Shape[axis], inner = Strides.Of(x.Shape)[axis];
        pool.RunParts((int)(x.Shape.Count / size / inner), outer =>
        {
            ReadOnlySpan<float> source = x.Span.Slice(outer * size * inner, size * inner);
            Span<float> target = y.Span.Slice(outer * outputs * inner, outputs * inner);
            for (int o = 0; o < outputs; o++)
            {
                Span<float> row = target.Slice(o * inner, inner);
                row.Clear();
                for (int t = o * taps.Taps; t < (o + 1) * taps.Taps; t++)
                    Add(source.Slice(taps.Positions[t] * inner, inner), taps.Weights[t], row, t == o * taps.Taps);
            }
        });
    }

    private static void Add(ReadOnlySpan<float> from, float weight, Span<float> to, bool first)
    {
        if (first && weight == 1)
            from.CopyTo(to);
        else if (weight != 0)
            System.Numerics.Tensors.TensorPrimitives.MultiplyAdd(from, weight, to, to);
    }
}
