namespace MLNet.PQCompression.Graph;

/// <summary>What sizes a tensor may have in memory: so many elements that their index, and any product of its dimensions, fits 32 bits.</summary>
internal static class TensorSize
{
    /// <summary>Whether the product of the dimensions, those of 0 left out, is at most <see cref="Array.MaxLength"/>.</summary>
    /// <remarks>Dimensions of 0 are left out so that strides and other products of some of the dimensions are bounded too where there is no element.</remarks>
    public static bool Fits(params ReadOnlySpan<long> dimensions)
    {
        long product = 1;
        foreach (long d in dimensions)
            if (d < 0 || d > Array.MaxLength || (product *= Math.Max(d, 1)) > Array.MaxLength)
                return false;
        return true;
    }

    /// <inheritdoc cref="Fits(ReadOnlySpan{long})"/>
    public static bool Fits(TensorShape shape)
    {
        long product = 1;
        for (int i = 0; i < shape.Rank; i++)
            if (shape[i] < 0 || (product *= Math.Max(shape[i], 1)) > Array.MaxLength)
                return false;
        return true;
    }
}
