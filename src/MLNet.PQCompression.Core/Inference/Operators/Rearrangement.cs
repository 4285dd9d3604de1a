using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Inference.Operators;

/// <summary>Operators that only move values: Concat, Pad, Slice, Transpose.</summary>
internal static class Rearrangement
{
    public static void Run(Concat concat, Activation[] inputs, Activation output)
    {
        int[] strides = Strides.Of(output.Shape);
        int position = 0;
        foreach (Activation x in inputs)
        {
            Strides.Copy(x, 0, Strides.Of(x.Shape), output, position * strides[concat.Axis], strides, x.Shape.Dimensions.AsSpan());
            position += x.Shape[concat.Axis];
        }
    }

    public static void Run(Pad pad, Activation x, Activation output)
    {
        output.Span.Fill(pad.Value);
        int[] strides = Strides.Of(output.Shape);
        int offset = 0;
        for (int i = 0; i < strides.Length; i++)
            offset += pad.Before[i] * strides[i];
        Strides.Copy(x, 0, Strides.Of(x.Shape), output, offset, strides, x.Shape.Dimensions.AsSpan());
    }

    public static void Run(Slice slice, Activation x, Activation output)
    {
        int[] strides = Strides.Of(x.Shape), steps = [.. strides];
        int offset = 0;
        foreach (SliceRange range in slice.Ranges)
        {
            offset += ShapeInference.Resolve(range, x.Shape[range.Axis]).Start * strides[range.Axis];
            steps[range.Axis] = strides[range.Axis] * range.Step;
        }
        Strides.Copy(x, offset, steps, output, 0, Strides.Of(output.Shape), output.Shape.Dimensions.AsSpan());
    }

    public static void Run(Transpose transpose, Activation x, Activation output)
    {
        int[] strides = Strides.Of(x.Shape);
        int[] permuted = [.. transpose.Permutation.Select(i => strides[i])];
        Strides.Copy(x, 0, permuted, output, 0, Strides.Of(output.Shape), output.Shape.Dimensions.AsSpan());
    }
}
