namespace MLNet.PQCompression.Distillation.Managed.Operations;

/// <summary>The rows of a sample along one dimension.</summary>
internal static class StridedRows
{
    /// <summary>Where each row along <paramref name="dimension"/> (batch not counted) starts.</summary>
    public static int[] Starts(ValueLayout layout, int dimension)
    {
        int[] starts = new int[layout.Count / layout.Dimensions[dimension]];
        for (int row = 0; row < starts.Length; row++)
            for (int d = layout.Dimensions.Length - 1, rest = row; d >= 0; d--)
                if (d != dimension)
                {
                    starts[row] += rest % layout.Dimensions[d] * layout.Strides[d];
                    rest /= layout.Dimensions[d];
                }
        return starts;
    }
}
