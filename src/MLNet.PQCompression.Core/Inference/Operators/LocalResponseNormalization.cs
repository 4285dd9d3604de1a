using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Inference.Operators;

/// <summary>y = x/(bias + alpha/size·Σx²)^beta, the sum over ⌊(size−1)/2⌋ channels before and ⌈(size−1)/2⌉ after.</summary>
internal static class LocalResponseNormalization
{
    public static void Run(Lrn op, Activation x, Activation output)
    {
        int channels = x.Shape[1], plane = x.Shape[2] * x.Shape[3];
        int before = Math.Min((op.Size - 1) / 2, channels - 1), after = Math.Min(op.Size / 2, channels - 1);
        var squares = new double[before + channels + after];
        var (sums, ends) = (new double[channels], new double[squares.Length]);
        for (int image = 0; image < x.Shape[0]; image++)
            for (int pixel = 0; pixel < plane; pixel++)
            {
                int first = image * channels * plane + pixel;
                for (int c = 0; c < channels; c++)
                    squares[before + c] = (double)x.Span[first + c * plane] * x.Span[first + c * plane];
                SumWindows(squares, ends, before + 1 + after, sums);
                for (int c = 0; c < channels; c++)
                    output.Span[first + c * plane] = (float)(x.Span[first + c * plane] / Math.Pow(op.Bias + op.Alpha / op.Size * sums[c], op.Beta));
            }
    }

    /// <summary>
    /// The sum of each window of so many values, in time that does not depend on its width: values are cut into pieces of that width, and a window is the end of one and the beginning of the next.
    /// Nothing is subtracted, so a large value leaves no trace in windows that it is not in.
    /// </summary>
    /// <param name="values">The values.</param>
    /// <param name="ends">Room for as many.</param>
    /// <param name="width">Values in a window.</param>
    /// <param name="sums">The sums of the windows that begin at each value, <c>values.Length − width + 1</c> of them.</param>
    private static void SumWindows(ReadOnlySpan<double> values, Span<double> ends, int width, Span<double> sums)
    {
        double sum = 0;
        for (int i = values.Length - 1; i >= 0; i--)
            ends[i] = sum = i % width == width - 1 ? values[i] : sum + values[i];
        sum = 0;
        for (int last = 0; last < values.Length; last++)
        {
            sum = last % width == 0 ? values[last] : sum + values[last];
            if (last >= width - 1)
                sums[last - width + 1] = last % width == width - 1 ? sum : ends[last - width + 1] + sum;
        }
    }
}
