namespace MLNet.PQCompression.Images.Png;

/// <summary>Undoes the prediction of a row (ISO/IEC 15948, clause 9).</summary>
internal static class PngFilter
{
    /// <param name="filter">0 none, 1 left, 2 above, 3 their mean, 4 Paeth.</param>
    /// <param name="row">The row, changed in place.</param>
    /// <param name="above">The row before, decoded; zeros for the first.</param>
    /// <param name="distance">Bytes from a sample to its left neighbour.</param>
    public static void Undo(int filter, Span<byte> row, ReadOnlySpan<byte> above, int distance)
    {
        above = above[..row.Length];
        switch (filter)
        {
            case 0:
                break;
            case 1:
                for (int i = distance; i < row.Length; i++)
                    row[i] += row[i - distance];
                break;
            case 2:
                for (int i = 0; i < row.Length; i++)
                    row[i] += above[i];
                break;
            case 3:
                for (int i = 0; i < row.Length; i++)
                    row[i] += (byte)(((i < distance ? 0 : row[i - distance]) + above[i]) >> 1);
                break;
            case 4:
                for (int i = 0; i < Math.Min(distance, row.Length); i++)
                    row[i] += above[i];
                for (int i = distance; i < row.Length; i++)
                    row[i] += Paeth(row[i - distance], above[i], above[i - distance]);
                break;
            default:
                throw new InvalidImageException(ImageFault.Malformed, $"PNG: a row has the filter {filter}; 0 to 4 are valid.");
        }
    }

    /// <summary>Whichever of left, above and diagonal is nearest to left + above − diagonal.</summary>
    private static byte Paeth(int left, int above, int diagonal)
    {
        int toLeft = Math.Abs(above - diagonal), toAbove = Math.Abs(left - diagonal), toDiagonal = Math.Abs(left + above - 2 * diagonal);
        return (byte)(toLeft <= toAbove && toLeft <= toDiagonal ? left : toAbove <= toDiagonal ? above : diagonal);
    }
}
