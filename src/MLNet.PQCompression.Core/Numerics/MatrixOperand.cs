namespace MLNet.PQCompression.Numerics;

/// <summary>One operand of a product: lines (rows of A, columns of B) by steps of k, stored either way round.</summary>
/// <param name="data">The first value.</param>
/// <param name="stride">Distance between rows as stored.</param>
/// <param name="linesAreRows">Whether a line is a stored row, so that k runs along memory.</param>
internal readonly unsafe struct MatrixOperand(float* data, nint stride, bool linesAreRows)
{
    /// <summary>Packs some lines over a slice of k; see <see cref="PanelPacking.Pack"/>.</summary>
    public void Pack(int line, int lines, int depth, int depthCount, int width, float* panels)
    {
        float* start = linesAreRows ? data + line * stride + depth : data + depth * stride + line;
        PanelPacking.Pack(start, stride, linesAreRows, lines, depthCount, width, panels);
    }
}
